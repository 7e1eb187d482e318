"""Calls between vehicles and their dispatchers: who rings whom, and how it ends. The media goes between the two."""
