"""Tests of refreshes."""
