"""Addresses of the parts of the console that show messages, under /conversations/."""

from django.urls import path, re_path

from v2v.messaging import views

_CONVERSATION = r"(?P<slug>[-\w]{1,40})/(?P<key>[A-Za-z0-9._:*-]{1,96})"

urlpatterns = [
    path("", views.conversation_list, name="conversation-list"),
    path("unread/", views.unread_count, name="conversations-unread"),
    path("recipients/<uuid:message_id>/", views.message_recipients, name="message-recipients"),
    re_path(rf"^{_CONVERSATION}/messages/$", views.conversation_messages, name="conversation-messages"),
    re_path(rf"^{_CONVERSATION}/read/$", views.conversation_mark_read, name="conversation-read"),
]
