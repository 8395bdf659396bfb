"""Refunds from the Learning and Development Support Scheme (LDSS), and the days until which they can be claimed."""
