"""Shared governance: partners, items, forums, action plans, feedback that changes content, objectives, incidents."""
