"""What the admin pages of all apps share: the policy instead of Django's permissions, and export as CSV."""

import csv
from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any

from django.contrib import admin, messages
from django.db.models import ForeignKey, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from v2v.api.permissions import actor_of
from v2v.exports import MAX_EXPORTED_ROWS, cell
from v2v.fleets.policy import Action, can, fleets_where
from v2v.fleets.selectors import within
from v2v.protocol.decode import Refusal


class PolicyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows and changes the rows of the fleets in which the user may do `needs`; other staff see nothing.

    `fleet_path` is the lookup that leads from a row to its fleet's primary key.
    """

    needs = Action.EDIT
    fleet_path = "fleet"
    export_fields: tuple[str, ...] = ()
    can_add = can_change = can_delete = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows that exist for the user: for lists, pages, choices, autocompletion and actions."""
        return super().get_queryset(request).filter(within(actor_of(request), self.needs, fleet=self.fleet_path))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the user may do anything here at all."""
        fleets = fleets_where(actor_of(request), self.needs)
        return fleets is None or bool(fleets)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By the policy."""
        if obj is None:
            return self.has_module_permission(request)
        return can(actor_of(request), self.needs, self._fleet_of(obj))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """By the policy, where rows can be added."""
        return self.can_add and self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By the policy, where rows can be changed."""
        return self.can_change and self.has_view_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By the policy, where rows can be deleted."""
        return self.can_delete and self.has_view_permission(request, obj)

    def _fleet_of(self, obj: Model) -> int:
        *path, last = self.fleet_path.split("__")
        holder: Any = reduce(getattr, path, obj)
        return holder.pk if last == "pk" else getattr(holder, f"{last}_id")  # type: ignore[no-any-return]

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """A choice among what exists for the user, also for who sends a form of his own making."""
        related = self.admin_site._registry.get(db_field.remote_field.model)
        if isinstance(related, PolicyAdmin):
            kwargs["queryset"] = related.get_queryset(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The form; what a service refuses at the last moment comes back as a message."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Refusal as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def apply_to(self, request: HttpRequest, rows: Iterable[Any], change: Callable[[Any], bool], done: str) -> None:
        """Apply a service to each row, and say how many it changed."""
        changed = sum(change(row) for row in rows)
        self.message_user(request, f"{changed} {done}.", messages.SUCCESS)

    @admin.action(description="Export as CSV")
    def export_csv(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """The selected rows, at most 50,000; cells that a spreadsheet would run as a formula are quoted."""
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{self.opts.model_name}.csv"'
        writer = csv.writer(response)
        writer.writerow(self.export_fields)
        for row in queryset.values_list(*self.export_fields)[:MAX_EXPORTED_ROWS]:
            writer.writerow([cell(value) for value in row])
        return response
