"""The application: one folder per part of the domain."""
