"""One staged pipeline for the files that programme teams have."""
