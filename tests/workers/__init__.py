"""Workers: delivery, relay, schedules, health and the jobs they run."""
