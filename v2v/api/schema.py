"""What drf-spectacular cannot see by itself: how errors look."""

from typing import Any

from v2v.api.problems import CONTENT_TYPE
from v2v.protocol.codes import ErrorCode

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `detail` is for people, `details` for programs.",
    "required": ["type", "title", "status", "detail", "code", "details"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "enum": [str(code) for code in ErrorCode]},
        "details": {"type": "object", "additionalProperties": True},
    },
}
_WORDS = {
    "400": "The input is not valid: `details.field` and `details.issue` say where.",
    "401": "No credentials, or none that are accepted.",
    "403": "Not allowed in this fleet.",
    "404": "It does not exist, or not for you.",
    "409": "Somebody else changed it first, or the id is taken.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "429": "Too many requests: `Retry-After` and `details.retryAfterMs` say when to come again.",
    "503": "The database is away; try again shortly.",
    "default": "Any other error.",
}
_FOR_BODIES = {"409", "413", "415"}


def problems_add(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the problem documents that each operation may answer with."""
    result["components"]["schemas"]["Problem"] = _PROBLEM
    for methods in result["paths"].values():
        for method, operation in methods.items():
            for status, words in _WORDS.items():
                if method == "get" and status in _FOR_BODIES:
                    continue
                content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
                operation["responses"].setdefault(status, {"description": words, "content": content})
    return result
