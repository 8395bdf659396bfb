"""Figures counted from rows, and their monthly series."""
