"""V2V: vehicles talk to each other and to their dispatchers, in real time."""
