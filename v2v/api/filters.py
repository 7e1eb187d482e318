"""Filters that several lists have."""

from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import NumberFilter

from v2v.protocol.epoch import moment
from v2v.protocol.fields import MAX_EPOCH_MS


class EpochMsFilter(NumberFilter):
    """A bound in time, in epoch milliseconds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=0, max_value=MAX_EPOCH_MS, decimal_places=0, **kwargs)

    def filter(self, qs: QuerySet[Any], value: Any) -> Any:
        """With the bound as a datetime."""
        return super().filter(qs, None if value is None else moment(int(value)))
