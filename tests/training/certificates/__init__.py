"""Tests of certificates and of the champions' register."""
