"""Tests of reports: what they count, hide and name, and that each form tells the same."""
