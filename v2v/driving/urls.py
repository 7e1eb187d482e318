"""Addresses of driving, under /api/v1/."""

from django.urls import path

from v2v.driving.api import DailyView, DrivingEventView, TripView

urlpatterns = [
    path("driving-events", DrivingEventView.as_view(), name="driving-events"),
    path("trips", TripView.as_view(), name="trips"),
    path("analytics/daily", DailyView.as_view(), name="daily-figures"),
]
