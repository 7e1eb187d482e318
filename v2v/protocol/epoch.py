"""Times on the wire are epoch milliseconds; inside, datetimes in UTC."""

from datetime import UTC, datetime


def epoch_ms(moment: datetime) -> int:
    """A datetime as epoch milliseconds."""
    return round(moment.timestamp() * 1000)


def moment(ms: int) -> datetime:
    """Epoch milliseconds as a datetime in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC)
