"""How request bodies are read."""

from collections.abc import Mapping
from typing import Any

import msgspec
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser

MAX_BODY_BYTES = 1024 * 1024


class TooLarge(APIException):
    """The body is over the limit."""

    status_code = 413
    default_detail = f"The body is larger than {MAX_BODY_BYTES} bytes."


class StrictJSONParser(JSONParser):
    """JSON as the socket takes it: no NaN, no infinities, no lone surrogates, bounded in size and depth."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """What the body holds; raises ParseError or TooLarge."""
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge
        try:
            return msgspec.json.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ParseError(f"Not valid JSON: {error}") from error
