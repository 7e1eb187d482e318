"""Addresses of messages and conversations, under /api/v1/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from v2v.messaging.api import ConversationView, MessageViewSet

router = SimpleRouter(trailing_slash=False)
router.register("messages", MessageViewSet)

urlpatterns = [
    path("conversations", ConversationView.as_view(), name="conversations"),
    path("", include(router.urls)),
]
