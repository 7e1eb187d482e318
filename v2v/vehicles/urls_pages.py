"""The addresses of the pages of vehicles."""

from django.urls import path

from v2v.vehicles import pages

urlpatterns = [path("<str:vehicle_id>/edit/", pages.edit, name="vehicle-edit")]
