"""The addresses of alerts in the console."""

from django.urls import path

from v2v.alerts import views

urlpatterns = [
    path("alerts/rows/", views.rows, name="alert-rows"),
    *(
        path(f"alerts/<uuid:alert_id>/{deed}/", views.act, {"deed": deed}, name=f"alert-form-{deed}")
        for deed in views.DEEDS
    ),
]
