"""The wire contract: every message as a type, every code with its words. Imports nothing else of V2V."""
