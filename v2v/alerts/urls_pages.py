"""The addresses of the pages of alerts, and of their parts in the console."""

from django.urls import path

from v2v.alerts import pages, views

urlpatterns = [
    path("alerts/", pages.history, name="alert-history"),
    path("alerts/history.csv", pages.history_csv, name="alert-history-csv"),
    path("alerts/answer-times/", pages.answer_times, name="answer-times"),
    path("alerts/answer-times.csv", pages.answer_times_csv, name="answer-times-csv"),
    path("alerts/<uuid:alert_id>/", pages.detail, name="alert-page"),
    path("alerts/rows/", views.rows, name="alert-rows"),
    *(
        path(f"alerts/<uuid:alert_id>/{deed}/", views.act, {"deed": deed}, name=f"alert-form-{deed}")
        for deed in views.DEEDS
    ),
]
