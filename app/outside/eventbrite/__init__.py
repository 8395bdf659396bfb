"""Eventbrite: attendees and orders, by webhook and by poll."""
