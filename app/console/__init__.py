"""The console: pages for staff of tenants and of the platform. `pages.py` says how to add one."""
