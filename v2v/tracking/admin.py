"""Conflicts and dead letters in the admin. Positions have a key of two columns, which Django's admin does not take."""

from django.contrib import admin

from v2v.fleets.admin_base import PolicyAdmin
from v2v.fleets.policy import Action
from v2v.tracking.models import DeadLetter, PositionConflict


@admin.register(PositionConflict)
class PositionConflictAdmin(PolicyAdmin):
    """What came late, twice, or from too far away, to look at."""

    can_add = can_change = can_delete = False
    list_display = ["received_at", "kind", "vehicle", "recorded_at", "stood_at", "source", "device_id", "fleet"]
    list_select_related = ["vehicle", "fleet"]
    list_filter = ["kind", "source", ("fleet", admin.RelatedOnlyFieldListFilter), "received_at"]
    search_fields = ["vehicle__vehicle_id", "device_id", "correlation_id"]
    show_full_result_count = False
    export_fields = (
        "received_at", "kind", "vehicle__vehicle_id", "recorded_at", "lat", "lng", "stood_at", "stood_lat", "stood_lng",
        "source", "device_id", "correlation_id", "fleet__slug",
    )  # fmt: skip
    actions = ["export_csv"]


@admin.register(DeadLetter)
class DeadLetterAdmin(PolicyAdmin):
    """What the database refused, to look at; the page of the queue sends it again."""

    needs = Action.MANAGE
    can_add = can_change = can_delete = False
    list_display = ["died_at", "reason", "tries", "key", "fleet"]
    list_select_related = ["fleet"]
    list_filter = [("fleet", admin.RelatedOnlyFieldListFilter), "died_at"]
    search_fields = ["key", "reason"]
    exclude = ["payload"]
    export_fields = ("died_at", "reason", "tries", "key", "fleet__slug")
    actions = ["export_csv"]
