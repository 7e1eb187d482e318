"""Parts of the console: the list of calls, and one of them in the drawer. Calls themselves go over the socket."""

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from v2v.calls.forms import CallFilter
from v2v.calls.listing import call_page, call_seen, call_waits, calls_waiting
from v2v.calls.models import CallSession
from v2v.calls.services import call_close
from v2v.fleets.policy import Action, Actor, actor_of_user, can
from v2v.pages import form_action, fragment, is_part

Context = dict[str, Any]
MAX_HISTORY = 200


def calls_tab(request: HttpRequest, actor: Actor, *, is_shown: bool) -> Context:
    """The context of the tab; the list itself only where it is shown, otherwise it is fetched once it is."""
    choice = CallFilter(request.GET).chosen()
    now = timezone.now()
    rows = call_page(actor=actor, choice=choice, now=now) if is_shown else None
    back = {call.pk for call in rows.past if can(actor, Action.DISPATCH, call.fleet_id)} & rows.waiting if rows else ()
    return {
        "call_rows": rows,
        "calls_back": back,
        "call_choice": choice,
        "calls_waiting": calls_waiting(actor=actor, now=now),
    }


def call_drawer(actor: Actor, call_id: str) -> Context | None:
    """The context of the drawer of a call; None for one that the actor may not view."""
    call = call_seen(actor, call_id)
    if call is None:
        return None
    return {
        "call": call,
        "call_history": call.history.all()[:MAX_HISTORY],
        "call_waits": call_waits(call, now=timezone.now()),
        "may_call": can(actor, Action.DISPATCH, call.fleet_id),
        "other_vehicle": _other_vehicle(call),
    }


def _other_vehicle(call: CallSession) -> Any:
    """The vehicle that dispatch would call back: who rang; where dispatch itself did, who was rung."""
    return call.caller_vehicle or call.callee_vehicle


@fragment
def call_list(request: HttpRequest) -> HttpResponse:
    """The rows that match the filter, a page of them, and how many missed calls wait."""
    context = calls_tab(request, actor_of_user(request.user), is_shown=True)
    return render(request, "calls/rows.html", {**context, "is_update": True})


@fragment
def waiting_count(request: HttpRequest) -> HttpResponse:
    """How many missed calls wait, for while the list does not show."""
    waiting = calls_waiting(actor=actor_of_user(request.user), now=timezone.now())
    return render(request, "calls/waiting.html", {"calls_waiting": waiting})


@form_action
def end(request: HttpRequest, call_id: uuid.UUID) -> HttpResponse:
    """End somebody else's call. Everybody who sees it is told over the socket; of one that is over nothing changes."""
    actor = actor_of_user(request.user)
    call = call_seen(actor, str(call_id))
    if call is None:
        raise Http404
    if not can(actor, Action.DISPATCH, call.fleet_id):
        raise PermissionDenied
    call_close(call=call, by=actor.name, now=timezone.now())
    if is_part(request):
        return HttpResponse(status=204)
    return redirect(f"{reverse('console')}?tab=calls&call={call.pk}")
