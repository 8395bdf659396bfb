"""The training file of the Adult Social Care Workforce Data Set (ASC-WDS), made for a provider to upload."""
