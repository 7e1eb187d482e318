"""Alerts in the console: the list, the drawer, and what dispatchers do there.

An action answers HTMX with its own part of the drawer, a browser without scripts with the console; what was refused
stands there in words. That the rest of the page is fetched again is the business of the page: it hears of the change
over the socket, and by the event `alertChanged` on the form, that comes with the answer to what was done.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from django import forms, http
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import trigger_client_event

from v2v.alerts import services
from v2v.alerts.forms import AcknowledgeForm, AlertFilter, AssignForm, NegateForm, NoteForm, ResolveForm
from v2v.alerts.models import Alert
from v2v.alerts.rules import ACTIVE, position_is_stale
from v2v.alerts.selectors import alert_rows, alert_seen, alert_to_work, alerts_untaken, alerts_where
from v2v.alerts.serializers import MAX_HISTORY
from v2v.fleets.policy import Action, Actor, actor_of_user, can
from v2v.pages import form_action, fragment, is_part
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.protocol.epoch import moment

Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Deed:
    """What a dispatcher may do about an alert: what the form holds, and the service that takes it."""

    form: type[forms.Form]
    service: Callable[..., Alert]


DEEDS = {
    "acknowledge": Deed(AcknowledgeForm, services.alert_ack),
    "assign": Deed(AssignForm, services.alert_assign),
    "note": Deed(NoteForm, services.alert_note),
    "resolve": Deed(ResolveForm, services.alert_resolve),
    "negate": Deed(NegateForm, services.alert_negate),
}


def list_context(actor: Actor, query: Mapping[str, str]) -> Context:
    """The list that the query asks for, and its filter."""
    choice = AlertFilter(query).chosen()
    return {
        "alert_rows": alert_rows(actor=actor, choice=choice),
        "alert_choice": choice,
        "alerts_untaken": alerts_untaken(actor),
        "severities": Alert.Severity.choices,
        "types": Alert.Type.choices,
    }


def drawer_context(actor: Actor, alert_id: str) -> Context | None:
    """Everything about one alert; None when there is none that the actor may view."""
    alert = alert_seen(actor, alert_id)
    if alert is None:
        return None
    return {
        "history": alert.history.all()[:MAX_HISTORY],
        "recipient_count": alert.recipients.count(),
        "position_stale": position_is_stale(alert.fix_at, timezone.now()),
        **actions_context(actor, alert),
    }


def actions_context(actor: Actor, alert: Alert) -> Context:
    """What the actor may do about the alert, for `alerts/actions.html`."""
    return {
        "alert": alert,
        "is_active": alert.state in ACTIVE,
        "may_work": can(actor, Action.DISPATCH, alert.fleet_id),
        "me": actor.name,
        "note_key": uuid.uuid4().hex,
    }


@fragment
def rows(request: http.HttpRequest) -> http.HttpResponse:
    """The rows of the list that match the filter."""
    return render(request, "alerts/rows.html", list_context(actor_of_user(request.user), request.GET))


@form_action
def act(request: http.HttpRequest, alert_id: uuid.UUID, deed: str) -> http.HttpResponse:
    """Do it, and show how the alert stands then; what is refused is told in words."""
    actor = actor_of_user(request.user)
    form = DEEDS[deed].form(request.POST)
    alert = _worked(actor, alert_id)
    problem = _do(actor, alert, deed, form)
    alert = alerts_where(actor).get(pk=alert.pk)
    if not is_part(request):
        if problem or form.errors:
            issues = [str(issue) for found in form.errors.values() for issue in found]
            messages.error(request, problem or " ".join(issues))
        return redirect(f"{reverse('console')}?tab=alerts&alert={alert.pk}")
    context = {**actions_context(actor, alert), "deed": deed, "form": form, "problem": problem}
    answer = render(request, "alerts/actions.html", context)
    return answer if problem or form.errors else trigger_client_event(answer, "alertChanged")


def _worked(actor: Actor, alert_id: uuid.UUID) -> Alert:
    """The alert, for who may work it; else the page that says what is missing."""
    try:
        return alert_to_work(actor, alert_id)
    except Refusal as refusal:
        raise (PermissionDenied if refusal.code is ErrorCode.FORBIDDEN else http.Http404) from None


def _do(actor: Actor, alert: Alert, deed: str, form: forms.Form) -> str:
    """The words of what was refused; empty when it is done, or when the form itself says what is wrong."""
    if not form.is_valid():
        return ""
    try:
        DEEDS[deed].service(alert=alert, by=actor.name, now=timezone.now(), **form.cleaned_data)
    except Refusal as refusal:
        field = (refusal.details or {}).get("field")
        if field not in form.fields:
            return _words(refusal, alert.fleet.zone)
        form.add_error(field, refusal.message)
    return ""


def _words(refusal: Refusal, zone: tzinfo) -> str:
    """Who was faster, with what and when; else what the refusal says itself."""
    details = refusal.details or {}
    if refusal.code is not ErrorCode.CONFLICT or not details.get("by"):
        return refusal.message
    since = f" since {moment(details['at']).astimezone(zone):%H:%M:%S}" if "at" in details else ""
    return f"{details['by']} was faster: this alert is {details['state']}{since}."
