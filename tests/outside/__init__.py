"""Outside systems, against doubles on loopback that speak their wire formats with their faults."""
