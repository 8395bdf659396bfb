"""Sessions: series, venues, the people who lead them, agendas, publishing, moving, cancelling."""
