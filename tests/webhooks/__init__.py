"""Webhooks against a real receiver that fails in every way."""
