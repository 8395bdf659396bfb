"""The audit trail: append-only, chained, and the check that finds what was tampered with."""
