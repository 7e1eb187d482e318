"""Downloads that are made while they are sent, and rows as CSV for spreadsheets."""

import csv
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from io import StringIO
from itertools import chain
from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections, connection
from django.http import HttpResponseBase, StreamingHttpResponse

MAX_EXPORTED_ROWS = 50_000
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
Rows = Iterable[Sequence[Any]]


def cell(value: Any) -> Any:
    """The value as it goes into a cell; text that a spreadsheet would run as a formula is quoted."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def csv_streamed(filename: str, header: Sequence[str], parts: Iterator[Rows]) -> HttpResponseBase:
    """A download whose parts are made as they are sent; each may ask the database."""
    texts = chain([_text([header])], map(_text, parts))
    return text_streamed(filename, texts, content_type="text/csv; charset=utf-8")


def text_streamed(filename: str, parts: Iterator[str], *, content_type: str) -> HttpResponseBase:
    """A download of text, made as `csv_streamed` makes it."""
    response = StreamingHttpResponse(_streamed(parts), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


async def _streamed(parts: Iterator[str]) -> AsyncIterator[str]:
    while (part := await sync_to_async(_next)(parts)) is not None:
        yield part


def _next(parts: Iterator[str]) -> str | None:
    """The next part. Whoever reads slowly does not keep a connection to the database meanwhile."""
    try:
        return next(parts, None)
    finally:
        if not connection.in_atomic_block:  # whose connection it is
            close_old_connections()


def _text(rows: Rows) -> str:
    out = StringIO()
    csv.writer(out).writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()
