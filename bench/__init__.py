"""Benchmarks: each says in its own words what it measures and how to run it."""
