"""Every setting, with what it is for. All of them come from the environment; `.env.example` lists the variables."""

import secrets
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import SELF
from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv
from environs import Env

from config.log import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = Env()
# Into the environment itself, which libraries and the processes that a command starts read as well. ENV_FILE names
# another file, or none when it is empty: the tests want nothing of the developer's.
if ENV_FILE := env.str("ENV_FILE", str(BASE_DIR / ".env")):
    load_dotenv(ENV_FILE)

DEBUG = env.bool("DEBUG", False)
VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var")))
VAR_DIR.mkdir(parents=True, exist_ok=True)
HOST = env.str("HOST", "127.0.0.1")
PORT = env.int("PORT", 8000)
WORKERS = env.int("WORKERS", 1)
VERSION = env.str("V2V_VERSION", "0.1.0")
BUILD_TIMESTAMP = env.str("V2V_BUILD_TIMESTAMP", "")


# ---- Storage

DATABASE_URL = env.str("DATABASE_URL", "")
EMBEDDED = not DATABASE_URL  # one process on one machine: SQLite, memory, a secret of its own


def database(url: str) -> dict[str, Any]:
    """Django's settings of the database at `url`; without one, SQLite in VAR_DIR."""
    if not url:
        pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=5000;"
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": VAR_DIR / "v2v.sqlite3",
            # IMMEDIATE takes the write lock at once: who reads first and then writes never fails half-way.
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 5, "init_command": pragmas},
            "CONN_MAX_AGE": None,  # a connection a thread: opening one was a seventh of a register's time
        }
    parsed: dict[str, Any] = {**dj_database_url.parse(url)}
    if "postgres" in parsed["ENGINE"]:
        # The pool's own deadline; the connections of one process are bounded whatever the load. Before each further
        # attempt to connect it waits twice as long, up to minutes: so it gives up early, and the next request tries.
        pool = {"min_size": 1, "max_size": env.int("DATABASE_POOL", 12), "timeout": 3, "reconnect_timeout": 5}
        parsed["OPTIONS"] = {"pool": pool, "connect_timeout": 3, **parsed.get("OPTIONS", {})}
    return parsed


DATABASES = {"default": database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.str("REDIS_URL", "")
# Two deployments on one Redis need two of these: channels know no database numbers.
REDIS_PREFIX = env.str("REDIS_PREFIX", "v2v:")


# ---- Secrets and who may come in


def secret_key() -> str:
    """SECRET_KEY; the embedded default makes one of its own and keeps it in VAR_DIR."""
    if given := env.str("SECRET_KEY", ""):
        return given
    if not EMBEDDED:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set: a server with a DATABASE_URL needs one of 50 characters or more."
        )
    kept = VAR_DIR / "secret_key"
    if not kept.exists():
        kept.touch(mode=0o600)
        kept.write_text(secrets.token_urlsafe(50))
    return kept.read_text()


SECRET_KEY = secret_key()
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
# Full origins (scheme, host, port) of pages that may open a socket; the server's own are always among them.
ALLOWED_ORIGINS: list[str] = env.list("ALLOWED_ORIGINS", [])
CSRF_TRUSTED_ORIGINS = [origin for origin in ALLOWED_ORIGINS if origin.startswith(("http://", "https://"))]
FIREBASE_PROJECT_ID = env.str("FIREBASE_PROJECT_ID", "")
FIREBASE_CREDENTIALS = env.str("FIREBASE_CREDENTIALS", "")
if env.str("FIREBASE_AUTH_EMULATOR_HOST", "") and not DEBUG:
    raise ImproperlyConfigured(
        "FIREBASE_AUTH_EMULATOR_HOST makes Firebase take unsigned tokens: unset it, or set DEBUG=1."
    )

SECURE = env.bool("SECURE_COOKIES", not EMBEDDED)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env.bool("BEHIND_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Whose X-Forwarded-For and X-Forwarded-Proto are believed: addresses or networks, separated by commas.
FORWARDED_ALLOW_IPS = env.str("FORWARDED_ALLOW_IPS", "127.0.0.1")
TILE_URL = env.str("TILE_URL", "")
TILE_ORIGIN = "/".join(TILE_URL.split("/")[:3]).replace("{s}", "*") if TILE_URL else ""
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", *([TILE_ORIGIN] if TILE_ORIGIN else [])],
        "style-src": [SELF],
        "script-src": [SELF],
        "connect-src": [SELF],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": [SELF],
        "frame-ancestors": ["'none'"],
    }
}
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "v2v.api.throttles.client_network"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"


# ---- The realtime engine; times in milliseconds, distances in meters

NEARBY_RADIUS_M = env.float("NEARBY_RADIUS_M", 500.0)
TICK_MS = env.int("TICK_MS", 200)
COALESCE_MS = env.int("COALESCE_MS", 150)
PROXIMITY_HOLD_MS = env.int("PROXIMITY_HOLD_MS", 10_000)
HEARTBEAT_INTERVAL_MS = env.int("HEARTBEAT_INTERVAL_MS", 15_000)
HEARTBEAT_TIMEOUT_MS = env.int("HEARTBEAT_TIMEOUT_MS", 45_000)
STALE_CONNECTION_MS = env.int("STALE_CONNECTION_MS", 90_000)
SWEEP_INTERVAL_MS = env.int("SWEEP_INTERVAL_MS", 5_000)
REGISTER_TIMEOUT_MS = env.int("REGISTER_TIMEOUT_MS", 10_000)
RIGHTS_CHECK_MS = env.int("RIGHTS_CHECK_MS", 15_000)  # a role that was taken away ends its sockets within so long
LAST_STATES_MS = env.int("LAST_STATES_MS", 10_000)  # how often the last known states are stored
ALERT_ESCALATE_MS = env.int("ALERT_ESCALATE_MS", 30_000)
CALL_RINGING_TIMEOUT_MS = env.int("CALL_RINGING_TIMEOUT_MS", 30_000)
CALL_GRACE_MS = env.int("CALL_GRACE_MS", 15_000)  # a side of a call that lost its connection may come back within it
CALL_MAX_DURATION_MS = env.int("CALL_MAX_DURATION_MS", 4 * 3600 * 1000)
TURN_URL: list[str] = env.list("TURN_URL", [])
TURN_SECRET = env.str("TURN_SECRET", "")
if TURN_URL and not TURN_SECRET:
    raise ImproperlyConfigured("TURN_URL is set without TURN_SECRET, of which the credentials for it are made.")
# Periodic work inside the server process; where `manage.py scheduler` runs beside it, there.
RUN_SCHEDULER = env.bool("RUN_SCHEDULER", EMBEDDED)
# Positions are stored by a thread of the server; with REDIS_URL, `manage.py writer` may do it in its place.
RUN_WRITER = env.bool("RUN_WRITER", True)
if not RUN_WRITER and not REDIS_URL:
    raise ImproperlyConfigured("RUN_WRITER=0 needs a REDIS_URL: without it no other process can store the positions.")
POSITIONS_QUEUE_LIMIT = env.int("POSITIONS_QUEUE_LIMIT", 1_000_000)  # positions that wait to be stored
POSITIONS_CLAIM_MS = env.int("POSITIONS_CLAIM_MS", 15_000)  # after so much silence a writer's work is another's
POSITIONS_EVERY_MS = env.int("POSITIONS_EVERY_MS", 0)  # of a vehicle on a socket one in so long; 0 keeps every one
POSITIONS_KEEP_DAYS = env.int("POSITIONS_KEEP_DAYS", 400)  # 0 keeps all
CONNECTIONS_PER_ADDRESS = env.int("CONNECTIONS_PER_ADDRESS", 100)
DEMO_VEHICLES = env.int("DEMO_VEHICLES", 500)
# A modem on this port is served by the server process; one that `manage.py radio_bridge` serves needs none here.
RADIO_PORT = env.str("RADIO_PORT", "")
RADIO_NAME = env.str("RADIO_NAME", "radio")  # of the bridge; two modems are two bridges
RADIO_LINK = env.str("RADIO_LINK", "frame")
if RADIO_LINK not in ("frame", "meshtastic"):
    raise ImproperlyConfigured("RADIO_LINK is neither frame nor meshtastic.")
RADIO_BAUD = env.int("RADIO_BAUD", 115_200)
RADIO_ADDRESS = env.int("RADIO_ADDRESS", 1)  # the bridge's own on air; a Meshtastic radio brings its own
RADIO_AIR_BPS = env.int("RADIO_AIR_BPS", 9_600)  # what the modem can send, bits a second
RADIO_FLEET = env.str("RADIO_FLEET", "")  # whose the radios are that no vehicle has; empty: system admins see them only
RADIO_KEEP_DAYS = env.int("RADIO_KEEP_DAYS", 30)
DEMO_RADIOS = env.int("DEMO_RADIOS", 5)  # trucks of the demo that are on the radio only


# ---- Django

INSTALLED_APPS = [
    "daphne",  # before staticfiles: it takes over runserver
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "servestatic.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "django_prometheus",
    "django_structlog",
    "axes",
    "csp",
    "v2v.fleets",
    "v2v.vehicles",
    "v2v.tracking",
    "v2v.proximity",
    "v2v.driving",
    "v2v.alerts",
    "v2v.messaging",
    "v2v.calls",
    "v2v.geofences",
    "v2v.console",
    "radio",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "v2v.api.middleware.AddressThrottle",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
# The engine has its own relay (docs/adr/0012): the layer is for consumers that are added beside it.
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
if REDIS_URL:
    CHANNEL_LAYERS["default"] = {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": f"{REDIS_PREFIX}layer:"},
    }
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = env.path("STATIC_ROOT", VAR_DIR / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
SERVESTATIC_USE_FINDERS = EMBEDDED  # the embedded default needs no collectstatic
SERVESTATIC_AUTOREFRESH = DEBUG
LOGGING = logging_config(level=env.str("LOG_LEVEL", "INFO"), human=env.bool("LOG_HUMAN", DEBUG))
LOGGING_CONFIG = "logging.config.dictConfig"
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = True


# ---- REST

API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", 600)  # of one user or device
API_ANONYMOUS_PER_MINUTE = env.int("API_ANONYMOUS_PER_MINUTE", 60)  # of one address, without good credentials
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "v2v.vehicles.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["v2v.api.permissions.PolicyPermission"],
    "DEFAULT_THROTTLE_CLASSES": ["v2v.api.throttles.ActorThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["v2v.api.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "v2v.api.pages.NumberedPages",
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "rest_framework.filters.SearchFilter",
        "v2v.api.naming.CamelOrderingFilter",
    ],
    "EXCEPTION_HANDLER": "v2v.api.problems.problem_handler",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "V2V",
    "DESCRIPTION": "Vehicles that talk to each other and to their dispatchers.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "v2v.api.schema.problems_add",
    ],
    "ENUM_NAME_OVERRIDES": {
        "PresenceStatus": "v2v.vehicles.models.VehicleStatus.Presence",
        "ProximityType": "v2v.proximity.models.ProximityEvent.Type",
        "DrivingEventType": "v2v.driving.models.DrivingEvent.Type",
        "AlertVia": "v2v.alerts.models.Alert.Via",
        "MessageVia": "v2v.messaging.models.Message.Via",
        "AlertType": "v2v.alerts.models.Alert.Type",
        "AlertState": "v2v.alerts.models.Alert.StateChoice",
        "AlertChange": "v2v.alerts.models.AlertEvent.Kind",
        "GeofenceKind": "v2v.geofences.models.Geofence.Kind",
        "GeofenceReaction": "v2v.geofences.models.Geofence.ReactionChoice",
        "GeofenceHappening": "v2v.geofences.models.GeofenceEvent.Type",
        "CallState": "v2v.calls.models.CallSession.StateChoice",
        "CallEndReason": "v2v.calls.models.CallSession.ReasonChoice",
        "CallMedia": "v2v.calls.models.CallSession.Media",
        "CallEventKind": "v2v.calls.models.CallEvent.Kind",
        "RadioFrameState": "radio.models.RadioFrame.State",
        "RadioFrameKind": "radio.models.RadioFrame.Kind",
        "RadioDirection": "radio.models.RadioFrame.Direction",
    },
}
