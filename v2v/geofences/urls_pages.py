"""The addresses of the page of geofences and its parts, under /geofences/."""

from django.urls import path

from v2v.geofences import views

urlpatterns = [
    path("", views.geofences, name="geofences"),
    path("rows/", views.rows, name="geofence-rows"),
    path("drawer/", views.drawer, name="geofence-drawer"),
    path("shapes.json", views.shapes, name="geofence-shapes"),
    path("save/", views.save, name="geofence-create"),
    path("<int:pk>/save/", views.save, name="geofence-save"),
    path("<int:pk>/delete/", views.delete, name="geofence-delete"),
    path("<int:pk>/restore/", views.restore, name="geofence-undelete"),
]
