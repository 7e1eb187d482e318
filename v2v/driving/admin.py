"""Driving in the admin: rules to change, the rest to look at."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from v2v.driving.models import DrivingEvent, FleetRules, SpeedLimit, Trip
from v2v.fleets.admin_base import PolicyAdmin
from v2v.fleets.policy import Action


class SpeedLimitInline(admin.TabularInline):  # type: ignore[type-arg]
    """The speed limits of the types of vehicles; whoever may change the rules may change them."""

    model = SpeedLimit
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for the rules."""
        return True

    has_add_permission = has_view_permission
    has_change_permission = has_view_permission
    has_delete_permission = has_view_permission


@admin.register(FleetRules)
class FleetRulesAdmin(PolicyAdmin):
    """Each fleet's limits, and what crossing them leads to."""

    needs = Action.MANAGE
    list_display = ["fleet", "speed_limit_kmh", "on_crash", "on_overspeed", "on_offline"]
    list_select_related = ["fleet"]
    search_fields = ["fleet__slug", "fleet__name"]
    inlines = [SpeedLimitInline]
    export_fields = ("fleet__slug", "speed_limit_kmh", "braking", "acceleration", "cornering", "on_crash")
    actions = ["export_csv"]

    def get_readonly_fields(self, request: HttpRequest, obj: FleetRules | None = None) -> list[str]:
        """Rules stay those of their fleet."""
        return ["fleet"] if obj else []


@admin.register(DrivingEvent)
class DrivingEventAdmin(PolicyAdmin):
    """What was driven too hard, too fast, or not heard of any more."""

    can_add = can_change = can_delete = False
    list_display = ["occurred_at", "type", "vehicle", "value", "limit", "fleet"]
    list_select_related = ["vehicle", "fleet"]
    list_filter = ["type", ("fleet", admin.RelatedOnlyFieldListFilter), "occurred_at"]
    search_fields = ["vehicle__vehicle_id"]
    show_full_result_count = False  # the table grows without end
    export_fields = ("occurred_at", "type", "vehicle__vehicle_id", "value", "limit", "lat", "lng", "fleet__slug")
    actions = ["export_csv"]


@admin.register(Trip)
class TripAdmin(PolicyAdmin):
    """From setting off to parking."""

    can_add = can_change = can_delete = False
    list_display = ["started_at", "ended_at", "vehicle", "distance_m", "top_mps", "is_open", "fleet"]
    list_select_related = ["vehicle", "fleet"]
    list_filter = ["is_open", ("fleet", admin.RelatedOnlyFieldListFilter), "started_at"]
    search_fields = ["vehicle__vehicle_id"]
    show_full_result_count = False  # the table grows without end
    export_fields = ("started_at", "ended_at", "vehicle__vehicle_id", "distance_m", "moving_s", "idle_s", "top_mps")
    actions = ["export_csv"]
