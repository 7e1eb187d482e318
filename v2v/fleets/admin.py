"""Fleets, members and users in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextInputWidget
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import ForeignKey
from django.http import HttpRequest

from v2v.fleets.admin_base import PolicyAdmin
from v2v.fleets.models import Fleet, Membership
from v2v.fleets.policy import Action

admin.site.site_header = admin.site.site_title = "V2V"
admin.site.index_title = "Administration"


@admin.register(Fleet)
class FleetAdmin(PolicyAdmin):
    """Fleets: their admins name them, a system admin adds and removes them."""

    needs = Action.MANAGE
    fleet_path = "pk"
    list_display = ["slug", "name", "time_zone", "created_at"]
    search_fields = ["slug", "name"]
    export_fields = ("slug", "name", "time_zone", "created_at")
    actions = ["export_csv"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A system admin only."""
        return _is_system_admin(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A system admin only."""
        return _is_system_admin(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Fleet | None = None) -> list[str]:
        """The slug stands in addresses and on the wire: it stays."""
        return ["slug"] if obj else []


@admin.register(Membership)
class MembershipAdmin(PolicyAdmin):
    """Who has which role in which fleet. A member is named by its exact user name: no list of users to leaf."""

    needs = Action.MANAGE
    list_display = ["user", "fleet", "role"]
    list_select_related = ["user", "fleet"]
    list_filter = ["role", ("fleet", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["user__username", "fleet__slug"]
    export_fields = ("user__username", "fleet__slug", "role")
    actions = ["export_csv"]

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> list[str]:
        """Only the role of a member changes."""
        return ["user", "fleet"] if obj else []

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """The user's name as text."""
        if db_field.name == "user":
            return forms.ModelChoiceField(
                User.objects.filter(is_active=True), to_field_name="username", widget=AdminTextInputWidget
            )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


admin.site.unregister(Group)  # roles come from memberships alone
admin.site.unregister(User)


@admin.register(User)
class SystemUserAdmin(UserAdmin):  # type: ignore[type-arg]
    """Users: for system admins only, whatever permissions somebody was given."""

    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("Access", {"fields": ["is_active", "is_staff", "is_superuser"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    filter_horizontal = []

    def has_module_permission(self, request: HttpRequest) -> bool:
        """A system admin only."""
        return _is_system_admin(request)

    def has_view_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """A system admin only."""
        return _is_system_admin(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A system admin only."""
        return _is_system_admin(request)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """A system admin only."""
        return _is_system_admin(request)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """A system admin only."""
        return _is_system_admin(request)


def _is_system_admin(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)
