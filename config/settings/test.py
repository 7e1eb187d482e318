"""Settings of the tests: TEST_DATABASE_URL or SQLite, fast passwords, nothing of the developer's `.env`."""

import atexit
import os
import shutil
import tempfile

if "VAR_DIR" not in os.environ:  # the workers of pytest-xdist inherit the first process's
    os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="v2v-test-")
    atexit.register(shutil.rmtree, os.environ["VAR_DIR"], ignore_errors=True)
os.environ["ENV_FILE"] = os.environ["REDIS_URL"] = ""
os.environ.setdefault("SECRET_KEY", "only-for-tests-0123456789-0123456789-0123456789-0123456789")
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL", "")

from config.settings.base import *  # noqa: F403

if EMBEDDED:  # noqa: F405
    # A file, as in production: threads wait for each other's locks, which they do not on a database in memory.
    DATABASES["default"]["TEST"] = {"NAME": VAR_DIR / "test.sqlite3"}  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SERVESTATIC_USE_FINDERS = True
# Tests ask hundreds of times within a minute, for users that have the same keys. A server under test has the defaults.
API_REQUESTS_PER_MINUTE = API_ANONYMOUS_PER_MINUTE = 1_000_000
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = False
