"""Outside systems: connections, what is fetched from them, and registrations that become bookings; a folder each."""
