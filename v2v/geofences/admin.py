"""Geofences in the admin: to look at, delete, restore and export. They are drawn on their own page."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from v2v.fleets.admin_base import PolicyAdmin
from v2v.geofences import services
from v2v.geofences.models import Geofence, GeofenceEvent, GeofencePresence


@admin.register(Geofence)
class GeofenceAdmin(PolicyAdmin):
    """Every geofence of the user's fleets, deleted ones too."""

    can_add = can_change = can_delete = False
    list_display = ("name", "fleet", "kind", "is_active", "updated_at", "updated_by", "deleted_at", "version")
    list_filter = (
        *("is_active", "kind", ("deleted_at", admin.EmptyFieldListFilter)),
        ("fleet", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("fleet",)
    search_fields = ("name", "note")
    export_fields = ("id", "fleet__slug", "name", "kind", "geometry", "radius_m", "is_active", "note", "deleted_at")
    actions = ("delete_them", "restore_them", "export_csv")

    @admin.action(description="Delete the selected geofences")
    def delete_them(self, request: HttpRequest, queryset: QuerySet[Geofence]) -> None:
        """Through the service: the engine and the open pages hear of it."""
        by, now = request.user.get_username(), timezone.now()

        def delete(geofence: Any) -> bool:
            return services.geofence_delete(geofence=geofence, by=by, now=now)

        self.apply_to(request, queryset.select_related("fleet"), delete, "geofences deleted")

    @admin.action(description="Bring the selected geofences back")
    def restore_them(self, request: HttpRequest, queryset: QuerySet[Geofence]) -> None:
        """Through the service."""
        by, now = request.user.get_username(), timezone.now()

        def restore(geofence: Any) -> bool:
            services.geofence_restore(geofence=geofence, by=by, now=now)
            return True

        gone = queryset.exclude(deleted_at=None).select_related("fleet")
        self.apply_to(request, gone, restore, "geofences restored")


@admin.register(GeofenceEvent)
class GeofenceEventAdmin(PolicyAdmin):
    """What happened in geofences."""

    can_add = can_change = can_delete = False
    list_display = ("occurred_at", "type", "geofence", "vehicle", "value", "severity", "fleet")
    list_filter = ("type", "severity", ("fleet", admin.RelatedOnlyFieldListFilter), "occurred_at")
    list_select_related = ("geofence", "vehicle", "fleet")
    search_fields = ("geofence__name", "vehicle__vehicle_id")
    show_full_result_count = False  # the table grows without end
    export_fields = (
        *("occurred_at", "type", "geofence__name", "vehicle__vehicle_id", "value", "lat", "lng"),
        *("severity", "fleet__slug"),
    )
    actions = ("export_csv",)


@admin.register(GeofencePresence)
class GeofencePresenceAdmin(PolicyAdmin):
    """Who is inside."""

    can_add = can_change = can_delete = False
    fleet_path = "geofence__fleet"
    list_display = ("geofence", "vehicle", "since", "dwelt", "fast")
    list_select_related = ("geofence", "vehicle")
    search_fields = ("geofence__name", "vehicle__vehicle_id")
    export_fields = ("geofence__name", "vehicle__vehicle_id", "since")
    actions = ("export_csv",)
