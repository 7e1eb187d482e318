"""The version that a change is meant for (optimistic locking): of two who edit at once the second is told."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

MAX_VERSION = 2**31 - 1
VERSION_PARAMETER = OpenApiParameter("version", {"type": "integer", "minimum": 1, "maximum": MAX_VERSION})


def version_asked(request: Request) -> int | None:
    """The `version` of the query; None without one. Raises ValidationError for one that cannot be."""
    text = request.query_params.get("version")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:11]) <= MAX_VERSION):
        raise ValidationError({"version": f"not an integer from 1 to {MAX_VERSION}"})
    return int(text)
