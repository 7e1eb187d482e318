"""Calls for help: from a vehicle to every vehicle that they concern, to every dispatcher, and to their end."""
