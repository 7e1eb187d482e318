"""How request bodies are read."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.http import QueryDict
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser, JSONParser

MAX_BODY_BYTES = 1024 * 1024


class TooLarge(APIException):
    """The body is over the limit."""

    status_code = 413
    default_detail = f"The body is larger than {MAX_BODY_BYTES} bytes."


class StrictJSONParser(JSONParser):
    """JSON as the socket takes it: no NaN, no infinities, no lone surrogates, bounded in size and depth."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """What the body holds; raises ParseError or TooLarge."""
        try:
            return msgspec.json.decode(_body(stream))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ParseError(f"Not valid JSON: {error}") from error


class UndecodedJSONParser(BaseParser):
    """JSON that the view decodes itself."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """The body; raises TooLarge."""
        return _body(stream)


class FormParser(BaseParser):
    """A form, bounded in size."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> QueryDict:
        """The form's fields; raises TooLarge."""
        return QueryDict(_body(stream), encoding="utf-8")


def _body(stream: Any) -> bytes:
    body: bytes = stream.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge
    return body
