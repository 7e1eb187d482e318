"""Every address that HTTP serves."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("v2v.console.urls")),
]
