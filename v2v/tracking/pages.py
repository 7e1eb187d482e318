"""The page of the queue: how storing goes, and what could not be stored."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from v2v.api.permissions import actor_of
from v2v.fleets.policy import Action, Actor, fleets_where
from v2v.pages import form_action, page
from v2v.protocol.decode import Refusal
from v2v.tracking.backends import queue_get
from v2v.tracking.letters import letter_discard, letter_send_again, letters_seen, said_by
from v2v.tracking.queue import MINUTES_KEPT, Figures, QueueUnavailable, minute_now

_LETTERS_ON_A_PAGE = 20
_DEEDS = {"send-again": (letter_send_again, "Sent again."), "discard": (letter_discard, "Discarded.")}
_BAR_WIDTH, _BARS_HEIGHT = 10, 64


@dataclass(frozen=True, slots=True)
class Bar:
    """A minute of the chart, in units of its picture."""

    x: int
    y: int
    height: int
    count: int
    ago: int


@page
def queue(request: HttpRequest) -> HttpResponse:
    """Depth, rate, retries, dead letters; for those who manage a fleet."""
    actor = _manager(request)
    letters = Paginator(letters_seen(actor), _LETTERS_ON_A_PAGE).get_page(request.GET.get("page"))
    said = said_by(list(letters))
    figures = _figures()
    context = {
        "figures": figures,
        "bars": _bars(figures.written) if figures else [],
        "picture": {"width": MINUTES_KEPT * _BAR_WIDTH, "height": _BARS_HEIGHT},
        "letters": letters,
        "rows": [(letter, said[letter.pk]) for letter in letters],
        "now": timezone.now(),
    }
    return render(request, "tracking/queue.html", context)


@form_action
def act(request: HttpRequest, letter_pk: int, deed: str) -> HttpResponse:
    """Send a dead letter again or discard it; one of a fleet that the actor does not manage is not there."""
    letter = get_object_or_404(letters_seen(_manager(request)), pk=letter_pk)
    service, done = _DEEDS[deed]
    try:
        if service(letter=letter):
            messages.success(request, done)
        else:
            messages.info(request, "Somebody else was quicker.")
    except Refusal as refusal:
        messages.error(request, refusal.message)
    return redirect("position-queue")


def _manager(request: HttpRequest) -> Actor:
    actor = actor_of(request)
    fleets = fleets_where(actor, Action.MANAGE)
    if fleets is not None and not fleets:
        raise PermissionDenied
    return actor


def _figures() -> Figures | None:
    try:
        return queue_get().figures(minute=minute_now())
    except QueueUnavailable:
        return None


def _bars(counts: list[int]) -> list[Bar]:
    """Oldest first, the highest as high as the picture."""
    highest = max(*counts, 1)
    bars = []
    for ago in reversed(range(len(counts))):
        height = round(counts[ago] / highest * _BARS_HEIGHT)
        x = (len(counts) - 1 - ago) * _BAR_WIDTH
        bars.append(Bar(x=x, y=_BARS_HEIGHT - height, height=height, count=counts[ago], ago=ago))
    return bars
