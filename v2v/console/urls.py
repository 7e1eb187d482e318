"""The addresses of the pages."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path, re_path

from v2v.console import views

urlpatterns = [
    path("", views.console, name="console"),
    path("vehicles/", views.vehicle_list, name="vehicle-list"),
    re_path(r"^vehicles/(?P<vehicle_id>[A-Za-z0-9._-]{3,40})/$", views.vehicle_detail, name="vehicle-detail"),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
