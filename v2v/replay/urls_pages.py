"""The addresses of replay: the page, and what it loads."""

from django.urls import path

from v2v.replay import views

urlpatterns = [
    path("", views.replay, name="replay"),
    path("alert/<uuid:alert_id>/", views.round_alert, name="replay-alert"),
    path("vehicles/", views.suggestions, name="replay-vehicles"),
    path("track/<str:vehicle_id>/", views.track, name="replay-track"),
    path("moments/", views.moments, name="replay-moments"),
]
