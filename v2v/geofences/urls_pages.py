"""The addresses of the page of geofences and its parts."""

urlpatterns: list[object] = []
