"""Messages in the admin."""

from django.contrib import admin

from v2v.fleets.admin_base import PolicyAdmin
from v2v.fleets.policy import Action
from v2v.messaging.models import Message, MessageRecipient


@admin.register(Message)
class MessageAdmin(PolicyAdmin):
    """What was said, to look at."""

    needs = Action.VIEW
    can_add = can_change = can_delete = False
    list_display = ["stored_at", "fleet", "conversation", "sender_name", "content", "is_broadcast", "via"]
    list_select_related = ["fleet", "conversation"]
    list_filter = ["via", "is_broadcast", ("fleet", admin.RelatedOnlyFieldListFilter), "stored_at"]
    search_fields = ["message_id", "content", "sender_vehicle__vehicle_id", "recipient_vehicle__vehicle_id"]
    show_full_result_count = False  # the table grows without end
    export_fields = ("stored_at", "fleet__slug", "conversation__key", "sender_name", "content", "content_type", "via")
    actions = ["export_csv"]


@admin.register(MessageRecipient)
class MessageRecipientAdmin(PolicyAdmin):
    """What became of each, to look at; no vehicle is dispatch."""

    needs = Action.VIEW
    can_add = can_change = can_delete = False
    list_display = ["message", "vehicle", "status", "via", "delivered_at", "read_at", "due_at"]
    list_select_related = ["message", "vehicle"]
    list_filter = ["status", "via", ("fleet", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["message__message_id", "vehicle__vehicle_id"]
    show_full_result_count = False
    export_fields = ("message__message_id", "vehicle__vehicle_id", "status", "via", "delivered_at", "read_at")
    actions = ["export_csv"]
