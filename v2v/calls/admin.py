"""Calls in the admin: to look at, to export, and to close those that hang."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from v2v.calls.models import CallEvent, CallSession
from v2v.calls.services import call_close
from v2v.fleets.admin_base import PolicyAdmin


@admin.register(CallSession)
class CallSessionAdmin(PolicyAdmin):
    """Every call of the user's fleets."""

    can_add = can_change = can_delete = False
    list_display = (
        *("started_at", "fleet", "caller_id", "caller_name", "callee_id", "callee_name", "media", "state"),
        *("end_reason", "answered_at", "ended_at"),
    )
    list_filter = ("state", "end_reason", "media", ("fleet", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("fleet", "caller_vehicle", "callee_vehicle")
    search_fields = ("caller_vehicle__vehicle_id", "callee_vehicle__vehicle_id", "caller_name", "callee_name")
    date_hierarchy = "started_at"
    show_full_result_count = False  # the table grows without end
    export_fields = (
        *("id", "fleet__slug", "caller_vehicle__vehicle_id", "caller_name", "callee_vehicle__vehicle_id"),
        *("callee_name", "media", "state", "end_reason", "ended_by", "started_at", "answered_at", "ended_at"),
    )
    actions = ("export_csv", "close_calls")

    @admin.action(description="Close the selected calls")
    def close_calls(self, request: HttpRequest, queryset: QuerySet[CallSession]) -> None:
        """Those that are over already stay as they are."""
        by, now = request.user.get_username(), timezone.now()
        self.apply_to(request, queryset, lambda call: call_close(call=call, by=by, now=now), "calls closed")


@admin.register(CallEvent)
class CallEventAdmin(PolicyAdmin):
    """What happened to calls."""

    can_add = can_change = can_delete = False
    fleet_path = "call__fleet"
    list_display = ("at", "call", "kind", "by", "reason")
    list_filter = ("kind", "reason")
    list_select_related = ("call__caller_vehicle", "call__callee_vehicle")
    search_fields = ("=call__id", "by")
    show_full_result_count = False
    export_fields = ("call_id", "kind", "at", "by", "reason")
    actions = ("export_csv",)
