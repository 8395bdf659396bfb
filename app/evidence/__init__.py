"""Figures that can be explained: metric definitions, impact summary, refreshed series."""
