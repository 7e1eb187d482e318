"""Geofences in the admin: deleted and brought back through the services."""

from tests.integration.admin.conftest import Side, Staff
from v2v.geofences.models import Geofence


def test_geofences_are_deleted_and_brought_back(staff: Staff, north: Side, south: Side) -> None:
    client = staff("admin.north")
    geofence = Geofence.objects.get(pk=north.rows["geofences/geofence"].pk)
    chosen = [geofence.pk, south.rows["geofences/geofence"].pk]
    for action, is_deleted in (("delete_them", True), ("restore_them", False)):
        client.post("/admin/geofences/geofence/", {"action": action, "_selected_action": chosen})
        geofence.refresh_from_db()
        assert (geofence.deleted_at is not None) is is_deleted
        assert geofence.updated_by == "admin.north"
    assert geofence.version == 3
    assert Geofence.objects.get(pk=chosen[1]).version == 1
