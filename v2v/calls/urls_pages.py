"""Addresses of the parts of the console that show calls, under /calls/."""

from django.urls import path

from v2v.calls import views

urlpatterns = [
    path("rows/", views.call_list, name="call-rows"),
    path("waiting/", views.waiting_count, name="calls-waiting"),
    path("<uuid:call_id>/end/", views.end, name="call-end"),
]
