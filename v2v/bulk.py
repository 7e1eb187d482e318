"""Writing thousands of rows in one go, past Django's models.

`bulk_create` computes 29 to 46 us a row, and while a thread computes, the event loop waits for the interpreter at each
frame that it writes: when a fleet of 2,800 came up, the 28,000 pairs that had met threw the tick out of its rhythm for
seconds. This takes 10 us, most of them inside SQLite, which lets go of the interpreter.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models, transaction

from v2v.protocol.epoch import moment


def rows_write(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]], *, on_conflict: str = ""
) -> int:
    """Insert the rows in one transaction: values in the order of `columns`, times by `stored_moment`; how many it did.

    `on_conflict` is SQL that SQLite and PostgreSQL both understand.
    """
    quote = connection.ops.quote_name
    names = ", ".join(quote(column) for column in columns)
    places = ", ".join(["%s"] * len(columns))
    sql = f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({places}) {on_conflict}"  # noqa: S608 - our own names
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(sql, list(rows))
        return int(cursor.rowcount)


def stored_moment(epoch_ms: int | None) -> Any:
    """Epoch milliseconds as the database takes a time."""
    if epoch_ms is None:
        return None
    return connection.ops.adapt_datetimefield_value(moment(epoch_ms))
