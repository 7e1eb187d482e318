"""Names: snake_case in Python, camelCase on the wire, translated in one place."""

import re
from collections.abc import Iterable
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django_filters.rest_framework import FilterSet
from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request
from rest_framework.serializers import Field, ModelSerializer, Serializer

ModelT = TypeVar("ModelT", bound=Model)

_UNDERSCORED = re.compile(r"_([a-z])")


def camel(name: str) -> str:
    """`last_seen` as `lastSeen`."""
    return _UNDERSCORED.sub(lambda match: match[1].upper(), name)


class CamelSerializer(Serializer[Any]):
    """A serializer whose fields have camelCase names on the wire, and which refuses keys that it does not know."""

    def get_fields(self) -> dict[str, Field[Any, Any, Any, Any]]:
        """The fields by their names on the wire."""
        renamed = {}
        for name, field in super().get_fields().items():
            if field.source is None and camel(name) != name:
                field.source = name
            renamed[camel(name)] = field
        return renamed

    def to_internal_value(self, data: Any) -> Any:
        """As the serializer does, after a look for unknown keys."""
        if isinstance(data, dict) and (unknown := data.keys() - self.fields.keys()):
            raise ValidationError({str(key)[:64]: "unknown field" for key in sorted(unknown)[:10]})
        return super().to_internal_value(data)


class CamelModelSerializer(CamelSerializer, ModelSerializer[ModelT]):
    """A model's serializer with camelCase names."""


class CamelFilterSet(FilterSet):
    """Filters with camelCase names."""

    @classmethod
    def get_filters(cls) -> dict[str, Any]:
        """The filters by their names on the wire."""
        return {camel(name): item for name, item in super().get_filters().items()}


class CamelOrderingFilter(OrderingFilter):
    """`ordering=-lastSeenAt`; the view's `ordering_fields` are in snake_case."""

    def remove_invalid_fields(
        self, queryset: QuerySet[Any], fields: Iterable[str], view: Any, request: Request
    ) -> list[str]:
        """The model's names of the wire names that the view allows."""
        allowed = {camel(name): name for name, _ in self.get_valid_fields(queryset, view, {"request": request})}
        return [f"-{allowed[f[1:]]}" if f.startswith("-") else allowed[f] for f in fields if f.lstrip("-") in allowed]

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """What the schema says: the names to choose from."""
        names = [camel(name) for name in view.ordering_fields]
        choices = [sign + name for name in names for sign in ("", "-")]
        schema = {"type": "string", "enum": choices}
        return [
            {
                "name": self.ordering_param,
                "in": "query",
                "required": False,
                "schema": schema,
                "description": "Which field to order by; with `-`, descending.",
            }
        ]
