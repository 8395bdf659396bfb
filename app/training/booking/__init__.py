"""Places at sessions: booking, waiting, offers, transfers, check-in. Never oversold, nobody lost."""
