"""Vehicles, devices, tokens and last known states in the admin. What takes a right away goes through the services."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from v2v.api.permissions import actor_of
from v2v.fleets.admin_base import PolicyAdmin
from v2v.vehicles import services
from v2v.vehicles.models import Device, DeviceToken, Vehicle, VehicleStatus


class VehicleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A vehicle with the version that the form was made from."""

    class Meta:
        model = Vehicle
        fields = [
            *("vehicle_id", "fleet", "type", "plate", "make", "model", "color"),
            *("driver_name", "owner_uid", "version"),
        ]
        widgets = {"version": forms.HiddenInput}

    def clean(self) -> dict[str, Any]:
        """Refuse a form that was made from an older version. The lock holds until the save: nobody comes between."""
        cleaned = super().clean() or {}
        if self.instance.pk:
            current = Vehicle.objects.select_for_update().get(pk=self.instance.pk)
            if cleaned.get("version") != current.version:
                raise forms.ValidationError(
                    "%(by)s changed it first, at %(at)s: it is at version %(current)s, your form at %(given)s. "
                    "Load the page again and repeat your change.",
                    params={
                        "by": current.updated_by or "The server",
                        "at": f"{current.updated_at:%H:%M:%S} UTC",
                        "current": current.version,
                        "given": cleaned.get("version"),
                    },
                    code="conflict",
                )
        return cleaned


class StateFilter(admin.SimpleListFilter):
    """In use, disabled or deleted; without a choice all but the deleted."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices."""
        return [("used", "In use"), ("disabled", "Disabled"), ("deleted", "Deleted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Vehicle]) -> QuerySet[Vehicle]:
        """The rows in the chosen state."""
        if self.value() == "deleted":
            return queryset.exclude(deleted_at=None)
        there = queryset.filter(deleted_at=None)
        if self.value() == "used":
            return there.filter(disabled_at=None)
        return there.exclude(disabled_at=None) if self.value() == "disabled" else there


def without_collecting(objects: Any) -> tuple[list[str], dict[str, int], set[str], list[str]]:
    """What a delete page lists where rows are only marked: themselves, and nothing that would go with them."""
    names = [str(item) for item in objects]
    return names, {"marked as deleted": len(names)}, set(), []


@admin.register(Vehicle)
class VehicleAdmin(PolicyAdmin):
    """Vehicles. Deleting marks them; disabling and deleting end their sessions."""

    form = VehicleForm
    list_display = ["vehicle_id", "fleet", "type", "plate", "driver_name", "disabled_at", "updated_at"]
    list_select_related = ["fleet"]
    list_filter = [StateFilter, ("fleet", admin.RelatedOnlyFieldListFilter), "type"]
    search_fields = ["vehicle_id", "plate", "driver_name", "make", "model"]
    export_fields = (
        *("vehicle_id", "fleet__slug", "type", "plate", "make", "model", "color"),
        *("driver_name", "disabled_at", "created_at", "updated_at"),
    )
    actions = ["disable", "enable", "export_csv"]

    def get_readonly_fields(self, request: HttpRequest, obj: Vehicle | None = None) -> list[str]:
        """The id stays: histories and devices know the vehicle by it."""
        return ["vehicle_id", "disabled_at", "created_at", "updated_at", "updated_by"] if obj else []

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By the policy, unless it was deleted."""
        return super().has_change_permission(request, obj) and (obj is None or obj.deleted_at is None)

    def save_model(self, request: HttpRequest, obj: Vehicle, form: Any, change: bool) -> None:
        """Through the services, which check the version and end the sessions of a vehicle that moves."""
        given = dict(form.cleaned_data)
        version = given.pop("version", None)
        if change:
            by = actor_of(request).name
            saved = services.vehicle_update(vehicle=obj, version=version, now=timezone.now(), by=by, **given)
        else:
            saved = services.vehicle_create(now=timezone.now(), **given)
        obj.pk, obj.version = saved.pk, saved.version

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The vehicles alone."""
        return without_collecting(objs)

    def delete_model(self, request: HttpRequest, obj: Vehicle) -> None:
        """Mark it."""
        services.vehicle_delete(vehicle=obj, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Vehicle]) -> None:
        """Mark them."""
        for vehicle in queryset:
            services.vehicle_delete(vehicle=vehicle, now=timezone.now())

    @admin.action(description="Disable selected vehicles", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Vehicle]) -> None:
        """Shut them out."""
        disable = partial(services.vehicle_disable, now=timezone.now(), by=actor_of(request).name)
        self.apply_to(request, queryset, lambda row: disable(vehicle=row), "disabled")

    @admin.action(description="Enable selected vehicles", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Vehicle]) -> None:
        """Let them in again."""
        enable = partial(services.vehicle_enable, now=timezone.now(), by=actor_of(request).name)
        self.apply_to(request, queryset, lambda row: enable(vehicle=row), "enabled")


class TokenInline(admin.TabularInline):  # type: ignore[type-arg]
    """A device's tokens, without what could be found out from them."""

    model = DeviceToken
    fields = ["created_at", "expires_at", "revoked_at"]
    readonly_fields = ["created_at", "expires_at", "revoked_at"]
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see the device, may see these."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody here."""
        return False


@admin.register(Device)
class DeviceAdmin(PolicyAdmin):
    """Devices. Deleting marks them; revoking and deleting end their sessions."""

    fleet_path = "vehicle__fleet"
    fields = ["vehicle", "device_id", "name"]
    list_display = ["device_id", "vehicle", "name", "last_seen_at", "revoked_at"]
    list_select_related = ["vehicle"]
    list_filter = [
        ("revoked_at", admin.EmptyFieldListFilter),
        ("vehicle__fleet", admin.RelatedOnlyFieldListFilter),
        "last_seen_at",
    ]
    search_fields = ["device_id", "name", "vehicle__vehicle_id"]
    autocomplete_fields = ["vehicle"]
    inlines = [TokenInline]
    export_fields = ("vehicle__vehicle_id", "device_id", "name", "last_seen_at", "revoked_at", "created_at")
    actions = ["revoke", "restore", "export_csv"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Device]:
        """Without those that were removed."""
        return super().get_queryset(request).filter(deleted_at=None)

    def get_readonly_fields(self, request: HttpRequest, obj: Device | None = None) -> list[str]:
        """Only its name changes."""
        return ["vehicle", "device_id"] if obj else []

    def save_model(self, request: HttpRequest, obj: Device, form: Any, change: bool) -> None:
        """A new one through the service, which counts how many the vehicle has."""
        if change:
            super().save_model(request, obj, form, change)
        else:
            added = services.device_add(vehicle=obj.vehicle, device_id=obj.device_id, name=obj.name, now=timezone.now())
            obj.pk = added.pk

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The devices alone."""
        return without_collecting(objs)

    def delete_model(self, request: HttpRequest, obj: Device) -> None:
        """Mark it, and revoke its tokens."""
        services.device_delete(device=obj, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Device]) -> None:
        """Mark them, and revoke their tokens."""
        for device in queryset:
            services.device_delete(device=device, now=timezone.now())

    @admin.action(description="Revoke selected devices", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Device]) -> None:
        """Shut them out with all their tokens."""
        now = timezone.now()
        self.apply_to(request, queryset, lambda row: services.device_revoke(device=row, now=now), "revoked")

    @admin.action(description="Restore selected devices", permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Device]) -> None:
        """Let them in again, once they have new tokens."""
        now = timezone.now()
        self.apply_to(request, queryset, lambda row: services.device_restore(device=row, now=now), "restored")


@admin.register(DeviceToken)
class DeviceTokenAdmin(PolicyAdmin):
    """Tokens: when they were issued and until when they are good. Their digests are shown to nobody."""

    fleet_path = "device__vehicle__fleet"
    can_add = can_change = can_delete = False
    fields = ["device", "created_at", "expires_at", "revoked_at"]
    list_display = ["device", "created_at", "expires_at", "revoked_at"]
    list_select_related = ["device__vehicle"]
    list_filter = [
        ("revoked_at", admin.EmptyFieldListFilter),
        ("device__vehicle__fleet", admin.RelatedOnlyFieldListFilter),
    ]
    search_fields = ["device__device_id", "device__vehicle__vehicle_id"]
    export_fields = (
        *("device__vehicle__vehicle_id", "device__device_id"),
        *("created_at", "expires_at", "revoked_at"),
    )
    actions = ["revoke", "export_csv"]

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Not by digest: it could be guessed letter by letter."""
        return not lookup.startswith("digest") and super().lookup_allowed(lookup, value, request)

    @admin.action(description="Revoke selected tokens", permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[DeviceToken]) -> None:
        """Make them worthless."""
        now = timezone.now()
        self.apply_to(request, queryset, lambda row: services.device_token_revoke(token=row, now=now), "revoked")


@admin.register(VehicleStatus)
class VehicleStatusAdmin(PolicyAdmin):
    """Last known states, to look at."""

    fleet_path = "vehicle__fleet"
    can_add = can_change = can_delete = False
    list_display = ["vehicle", "status", "last_seen", "lat", "lng", "speed", "battery", "signal"]
    list_select_related = ["vehicle"]
    list_filter = ["status", ("vehicle__fleet", admin.RelatedOnlyFieldListFilter), "last_seen"]
    search_fields = ["vehicle__vehicle_id", "vehicle__plate", "vehicle__driver_name"]
    export_fields = (
        *("vehicle__vehicle_id", "status", "last_seen", "lat", "lng"),
        *("heading", "speed", "fix_at", "battery", "signal"),
    )
    actions = ["export_csv"]
