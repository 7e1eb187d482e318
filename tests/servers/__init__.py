"""The real servers and the browser that the tests run on, each private to one test run and started when first asked for."""
