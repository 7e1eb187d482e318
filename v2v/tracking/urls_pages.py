"""The addresses of the page of the queue."""

from django.urls import path

from v2v.tracking import pages

urlpatterns = [
    path("", pages.queue, name="position-queue"),
    *(
        path(f"letters/<int:letter_pk>/{deed}/", pages.act, {"deed": deed}, name=f"letter-{deed}")
        for deed in ("send-again", "discard")
    ),
]
