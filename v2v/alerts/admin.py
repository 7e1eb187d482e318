"""Alerts in the admin: to look at and to export. They are worked on the console, through the services."""

from django.contrib import admin

from v2v.alerts.models import Alert, AlertEvent, AlertRecipient
from v2v.fleets.admin_base import PolicyAdmin


@admin.register(Alert)
class AlertAdmin(PolicyAdmin):
    """Every alert of the user's fleets."""

    can_add = can_change = can_delete = False
    list_display = ("stored_at", "fleet", "sender", "type", "severity", "state", "acked_by", "drill", "via")
    list_filter = ("state", "severity", "type", "drill", "via", ("fleet", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("fleet", "sender")
    search_fields = ("=id", "message", "sender__vehicle_id", "acked_by", "assigned_to")
    date_hierarchy = "stored_at"
    export_fields = (
        *("id", "fleet__slug", "sender__vehicle_id", "type", "severity", "state", "drill", "message", "lat", "lng"),
        *("stored_at", "displayed_at", "answered_at", "acked_by", "closed_at", "closed_by", "disposition"),
    )
    actions = ("export_csv",)


@admin.register(AlertEvent)
class AlertEventAdmin(PolicyAdmin):
    """What was done about alerts."""

    can_add = can_change = can_delete = False
    fleet_path = "alert__fleet"
    list_display = ("at", "alert", "kind", "by", "note")
    list_filter = ("kind",)
    list_select_related = ("alert",)
    search_fields = ("=alert__id", "by", "note")
    export_fields = ("alert_id", "kind", "at", "by", "note")
    actions = ("export_csv",)


@admin.register(AlertRecipient)
class AlertRecipientAdmin(PolicyAdmin):
    """Whom alerts reached."""

    can_add = can_change = can_delete = False
    fleet_path = "alert__fleet"
    list_display = ("delivered_at", "alert", "vehicle")
    list_select_related = ("alert", "vehicle")
    search_fields = ("=alert__id", "vehicle__vehicle_id")
    export_fields = ("alert_id", "vehicle__vehicle_id", "delivered_at")
    actions = ("export_csv",)
