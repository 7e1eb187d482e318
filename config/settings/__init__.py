"""Settings from the environment; `config.settings.test` for tests."""

from config.settings.base import *  # noqa: F403
