"""The addresses of the pages."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from v2v.console import views

urlpatterns = [
    path("", views.console, name="console"),
    path("drawer/", views.drawer, name="drawer"),
    path("vehicles/", views.vehicle_list, name="vehicle-rows"),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
