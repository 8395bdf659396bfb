"""Who is asking: staff, sessions, partner applications, roles and permissions."""
