"""`base` for servers and commands, `test` for tests. Nothing is read here: `test` must set the environment first."""
