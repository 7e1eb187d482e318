"""The addresses of the pages of driving."""

from django.urls import path

from v2v.driving import pages

urlpatterns = [
    path("analytics/", pages.analytics, name="analytics"),
    path("analytics/days.csv", pages.analytics_csv, name="analytics-csv"),
    path("trips/", pages.trips, name="trip-list"),
    path("trips/trips.csv", pages.trips_csv, name="trip-list-csv"),
    path("driving-events/", pages.events, name="driving-event-list"),
    path("driving-events/events.csv", pages.events_csv, name="driving-event-list-csv"),
    path("driving-rules/", pages.rules, name="driving-rules"),
    path("driving-rules/change/", pages.rules_change, name="driving-rules-change"),
]
