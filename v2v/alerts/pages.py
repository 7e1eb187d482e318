"""The pages of alerts beside the console: what was, one alert whole, and how fast alerts are answered."""

import uuid
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from v2v.alerts.figures import HEADER, PERIODS, USUAL_DAYS, Figures, figures_of, figures_rows
from v2v.alerts.history import COLUMNS, NEWEST_FIRST, SORTS, HistoryFilter, history_page, history_parts
from v2v.alerts.rules import position_is_stale
from v2v.alerts.selectors import alerts_where
from v2v.alerts.serializers import MAX_HISTORY
from v2v.api.permissions import actor_of
from v2v.exports import csv_streamed
from v2v.fleets.policy import Action, can, fleets_visible
from v2v.pages import page

_RECIPIENTS_ON_A_PAGE = 20


@page
def history(request: HttpRequest) -> HttpResponse:
    """Alerts of the viewer's fleets, by filter, order and page, as the address says."""
    asked, among, sort = _asked(request)
    part = history_page(
        asked.qs,
        among=among,
        sort=sort,
        after=_uuid(request.GET.get("after", "")),
        before=_uuid(request.GET.get("before", "")),
    )
    context = {
        "page": part,
        "form": asked.form,
        "is_filtered": bool(asked.asked),
        "sort": sort,
        "fleets": fleets_visible(actor_of(request)),
        "zone": asked.zone,
        "now": timezone.now(),
    }
    with timezone.override(asked.zone):
        return render(request, "alerts/history.html", context)


@page
def history_csv(request: HttpRequest) -> HttpResponseBase:
    """The same alerts for a spreadsheet, at most 50,000."""
    asked, among, sort = _asked(request)
    parts = history_parts(asked.qs, among=among, sort=sort, zone=asked.zone)
    return csv_streamed("alerts.csv", COLUMNS, parts)


def _asked(request: HttpRequest) -> tuple[HistoryFilter, Any, str]:
    """The filter, all alerts that may be seen, and the order."""
    among = alerts_where(actor_of(request))
    sort = request.GET.get("sort", "")
    return HistoryFilter(request.GET, queryset=among, request=request), among, sort if sort in SORTS else NEWEST_FIRST


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


@page
def detail(request: HttpRequest, alert_id: uuid.UUID) -> HttpResponse:
    """Everything of one alert."""
    actor, now = actor_of(request), timezone.now()
    alert = get_object_or_404(alerts_where(actor), pk=alert_id)
    told = Paginator(alert.recipients.select_related("vehicle"), _RECIPIENTS_ON_A_PAGE)
    context = {
        "alert": alert,
        "history": alert.history.all()[:MAX_HISTORY],
        "recipients": told.get_page(request.GET.get("page")),
        "position_is_stale": position_is_stale(alert.fix_at, now) and alert.is_active,
        "can_work": can(actor, Action.DISPATCH, alert.fleet_id),
        "tile_url": settings.TILE_URL,
        "now": now,
        "waits": now - alert.stored_at,
        "zone": alert.fleet.zone,
    }
    with timezone.override(alert.fleet.zone):
        return render(request, "alerts/detail.html", context)


# ---- Answer times


@page
def answer_times(request: HttpRequest) -> HttpResponse:
    """The figures of a fleet, or of all that the viewer may see, against the marks."""
    figures, context = _figures(request)
    context |= {"figures": figures}
    with timezone.override(context["zone"]):
        return render(request, "alerts/answer_times.html", context)


@page
def answer_times_csv(request: HttpRequest) -> HttpResponseBase:
    """The same figures for a spreadsheet."""
    figures, _ = _figures(request)
    return csv_streamed("answer-times.csv", HEADER, iter([figures_rows(figures)]))


def _figures(request: HttpRequest) -> tuple[Figures, dict[str, Any]]:
    actor = actor_of(request)
    fleets = fleets_visible(actor)
    chosen = next((fleet for fleet in fleets if fleet.slug == request.GET.get("fleet")), None)
    days = next((days for days in PERIODS if str(days) == request.GET.get("days")), USUAL_DAYS)
    alerts = alerts_where(actor)
    if chosen is not None:
        alerts = alerts.filter(fleet=chosen)
    known = chosen or (fleets[0] if fleets else None)
    zone = known.zone if known else timezone.get_default_timezone()
    context = {"fleets": fleets, "chosen": chosen, "periods": PERIODS, "zone": zone}
    return figures_of(alerts, days=days, zone=zone, now=timezone.now()), context
