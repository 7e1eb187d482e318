"""Comings and goings in the admin."""

from django.contrib import admin

from v2v.fleets.admin_base import PolicyAdmin
from v2v.proximity.models import ProximityEvent


@admin.register(ProximityEvent)
class ProximityEventAdmin(PolicyAdmin):
    """Who met whom and when, to look at."""

    can_add = can_change = can_delete = False
    list_display = ["occurred_at", "type", "vehicle", "peer", "distance_m", "fleet"]
    list_select_related = ["vehicle", "peer", "fleet"]
    list_filter = ["type", ("fleet", admin.RelatedOnlyFieldListFilter), "occurred_at"]
    search_fields = ["vehicle__vehicle_id", "peer__vehicle_id"]
    show_full_result_count = False  # the table grows without end
    export_fields = ("occurred_at", "type", "vehicle__vehicle_id", "peer__vehicle_id", "distance_m", "fleet__slug")
    actions = ["export_csv"]
