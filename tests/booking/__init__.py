"""Sessions, bookings, waiting lists, check-in."""
