"""The addresses of the pages of the radio."""

from django.urls import path

from radio import pages

urlpatterns = [
    path("", pages.radio, name="radio"),
    path("nodes/<int:node_pk>/", pages.node, name="radio-node"),
    path("nodes/<int:node_pk>/text/", pages.node_text, name="radio-node-text"),
    path("nodes/<int:node_pk>/vehicle/", pages.node_to_vehicle, name="radio-node-vehicle"),
]
