"""The types of the API, in the field's words. Adding a column or a connection is one line."""
