"""Nearness: which vehicles are close to each other, and when that changes."""
