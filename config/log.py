"""Logging: one JSON object a line, with the ids of the request or connection that it belongs to."""

import logging
import re
from typing import Any

import structlog

_TOKEN = re.compile(r"(token=|v2v_)[^&\s]+")


def without_tokens(logger: Any, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Take the tokens out of addresses: some trackers can send theirs in no other place."""
    request = event.get("request")
    if isinstance(request, str):
        event["request"] = _TOKEN.sub(r"\1...", request)
    return event


_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    without_tokens,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
]


def logging_config(*, level: str, human: bool) -> dict[str, Any]:
    """What `logging.config.dictConfig` takes; `human` prints colored lines in place of JSON."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer = structlog.dev.ConsoleRenderer() if human else structlog.processors.JSONRenderer()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                "foreign_pre_chain": _SHARED,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # A line for each connection and each probe would drown the rest; the realtime engine logs its own.
            "uvicorn.access": {"level": "WARNING"},
            "uvicorn.error": {"level": "WARNING" if level == "INFO" else level},
            "django_structlog": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},  # django_structlog has the same line, with the request's id
            "axes": {"level": logging.getLevelName(logging.WARNING)},
        },
    }
