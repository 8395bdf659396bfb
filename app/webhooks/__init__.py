"""Webhooks: partners are told of events by signed requests to addresses that a tenant has chosen."""
