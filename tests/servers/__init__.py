"""The real servers and the browser of the tests: private to one run, started when first asked for."""
