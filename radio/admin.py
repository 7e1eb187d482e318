"""Radios and frames in the admin, to look at and to export."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from radio.models import RadioBridge, RadioFrame, RadioNode
from radio.selectors import nodes_where
from v2v.api.permissions import actor_of
from v2v.fleets.admin_base import PolicyAdmin
from v2v.fleets.policy import Action


@admin.register(RadioBridge)
class RadioBridgeAdmin(PolicyAdmin):
    """The bridges of the user's fleets; those of no fleet are for system admins."""

    needs = Action.VIEW
    can_add = can_change = can_delete = False
    list_display = ("name", "link", "port", "fleet", "state", "state_at", "seen_at")
    list_select_related = ("fleet",)


@admin.register(RadioNode)
class RadioNodeAdmin(PolicyAdmin):
    """Radios that were heard."""

    needs = Action.VIEW
    can_add = can_change = can_delete = False
    list_display = ("label", "name", "vehicle", "bridge", "heard_at", "rssi", "snr", "battery", "clock_offset_s")
    list_filter = ("bridge",)
    list_select_related = ("vehicle", "bridge")
    search_fields = ("name", "vehicle__vehicle_id", "=address")
    export_fields = ("address", "name", "vehicle__vehicle_id", "bridge__name", "heard_at", "rssi", "snr", "battery")
    actions = ("export_csv",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RadioNode]:
        """As the policy of radios says: a radio's fleet is its vehicle's, or its bridge's."""
        return nodes_where(actor_of(request), self.needs)

    def has_view_permission(self, request: HttpRequest, obj: RadioNode | None = None) -> bool:
        """Whether it is one of those."""
        if obj is None:
            return self.has_module_permission(request)
        return self.get_queryset(request).filter(pk=obj.pk).exists()


@admin.register(RadioFrame)
class RadioFrameAdmin(PolicyAdmin):
    """Every frame that is kept."""

    needs = Action.VIEW
    can_add = can_change = can_delete = False
    list_display = (
        *("created_at", "direction", "kind", "node", "summary", "state", "priority", "attempts", "rssi", "snr"),
        *("fleet", "error"),
    )
    list_filter = ("direction", "kind", "state", "bridge", ("fleet", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("node", "fleet")
    search_fields = ("summary", "node__vehicle__vehicle_id", "=sender", "=recipient")
    show_full_result_count = False  # the table grows fast
    export_fields = (
        *("created_at", "direction", "kind", "sender", "recipient", "sequence", "summary", "state", "priority"),
        *("attempts", "rssi", "snr", "sent_at", "done_at", "error", "fleet__slug"),
    )
    actions = ("export_csv",)
