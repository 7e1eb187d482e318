"""Parts of the console: the list of conversations, one of them in the drawer, and whom a message went to."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import render
from django.utils import timezone

from v2v.fleets.models import Fleet
from v2v.fleets.policy import Action, Actor, actor_of_user, can
from v2v.messaging.forms import ConversationFilter, RecipientFilter, ThreadWindow
from v2v.messaging.rules import Status
from v2v.messaging.selectors import messages_where, status_counts, unread_total
from v2v.messaging.services import conversation_read
from v2v.messaging.threads import Thread, conversation_page, recipient_page, thread_of, thread_page
from v2v.pages import form_action, fragment


def messages_tab(request: HttpRequest, actor: Actor, *, fleets: list[Fleet], is_shown: bool) -> dict[str, Any]:
    """The context of the tab; the list itself only where it is shown, otherwise it is fetched once it is.

    `fleets` are those that the actor may view.
    """
    choice = ConversationFilter(request.GET).chosen()
    return {
        "conversations": conversation_page(actor=actor, choice=choice) if is_shown else None,
        "conversation_choice": choice,
        "unread": unread_total(actor),
        "broadcast_fleets": [fleet for fleet in fleets if can(actor, Action.DISPATCH, fleet.pk)],
    }


def conversation_drawer(actor: Actor, name: str) -> dict[str, Any] | None:
    """The context of the drawer of a conversation, called `fleet/key`; None for one that the actor may not view."""
    slug, _, key = name.partition("/")
    thread = thread_of(actor=actor, fleet_slug=slug, key=key)
    return None if thread is None else {"thread": thread, "messages": thread_page(actor=actor, thread=thread)}


@fragment
def conversation_list(request: HttpRequest) -> HttpResponse:
    """The rows of the list that match the filter, a page of them, and how many messages are unread in all."""
    actor = actor_of_user(request.user)
    choice = ConversationFilter(request.GET).chosen()
    context = {
        "conversations": conversation_page(actor=actor, choice=choice),
        "conversation_choice": choice,
        "unread": unread_total(actor),
        "is_update": True,
    }
    return render(request, "messaging/conversation_rows.html", context)


@fragment
def unread_count(request: HttpRequest) -> HttpResponse:
    """How many messages are unread in all, for while the list does not show."""
    return render(request, "messaging/unread.html", {"unread": unread_total(actor_of_user(request.user))})


@fragment
def conversation_messages(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """The messages of a conversation, as far back as they were shown before or a page further."""
    window = ThreadWindow(request.GET)
    window.is_valid()
    thread = _thread(request, slug, key)
    page = thread_page(
        actor=actor_of_user(request.user),
        thread=thread,
        since=window.cleaned_data.get("since"),
        with_older=bool(window.cleaned_data.get("older")),
    )
    return render(request, "messaging/messages.html", {"thread": thread, "messages": page})


@fragment
def message_recipients(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Whom a message went to, in one status or all, a page of them."""
    message = messages_where(actor_of_user(request.user)).filter(message_id=message_id).first()
    if message is None:
        raise Http404
    form = RecipientFilter(request.GET)
    form.is_valid()
    status, after = form.cleaned_data.get("status", ""), form.cleaned_data.get("after", "")
    counts = status_counts([message])[message.pk]
    context = {
        "message": message,
        "page": recipient_page(message=message, status=status, after=after),
        "status": status,
        "after": after,
        "choices": [("", "All", counts.total()), *((str(s), s.capitalize(), counts[s]) for s in Status if counts[s])],
    }
    return render(request, "messaging/recipients.html", context)


@form_action
def conversation_mark_read(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """Note that dispatch has read all of a conversation. Everybody who sees it is told over the socket."""
    thread = _thread(request, slug, key)
    if not thread.may_dispatch:
        return HttpResponseForbidden()
    if thread.conversation is not None:
        conversation_read(actor=actor_of_user(request.user), conversation=thread.conversation, now=timezone.now())
    return HttpResponse(status=204)


def _thread(request: HttpRequest, slug: str, key: str) -> Thread:
    thread = thread_of(actor=actor_of_user(request.user), fleet_slug=slug, key=key)
    if thread is None:
        raise Http404
    return thread
