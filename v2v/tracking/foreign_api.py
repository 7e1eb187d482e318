"""Where apps and trackers of others report, each in its own protocol.

An app sends what is refused again and again, and nothing behind it meanwhile. So a position that can never be taken is
answered as if it had been, and logged; what may be mended (the token, the rate, the database) is an error.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

import structlog
from django.http import QueryDict
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from v2v.alerts.models import Alert
from v2v.alerts.rules import ACTIVE
from v2v.alerts.services import Origin, Report, alert_raise
from v2v.api.parsers import FormParser, StrictJSONParser
from v2v.fleets.policy import Action
from v2v.protocol.codes import ErrorCode
from v2v.protocol.commands import LocationData
from v2v.protocol.decode import Refusal
from v2v.protocol.epoch import epoch_ms, moment
from v2v.tracking.foreign.osmand import osmand_parse, osmand_parse_json
from v2v.tracking.foreign.owntracks import owntracks_parse
from v2v.tracking.foreign.report import ForeignReport
from v2v.tracking.live import Outcome
from v2v.tracking.models import Source
from v2v.tracking.reports import Taken, reports_take
from v2v.vehicles.authentication import TrackerAuthentication, basic_of
from v2v.vehicles.identity import Authenticated

_ALARM_FOR = timedelta(hours=12)  # an alarm that was sent later than so calls nobody any more
_log = structlog.get_logger(__name__)


class ForeignView(APIView):
    """What they share: a device token, sent as the app can send it, which says whose vehicle it is."""

    schema = None  # their protocols are described by others
    authentication_classes = [TrackerAuthentication]
    parser_classes = [StrictJSONParser, FormParser]
    action_to_read = action_to_write = Action.PRESENCE
    source: Source

    def take(self, request: Request, reports: Sequence[ForeignReport]) -> Taken:
        """Hand the positions on; what is refused of them is logged.

        Raises Refusal `forbidden` when the app is set up with another vehicle's name than its token's.
        """
        who = cast("Authenticated", request.auth)
        if {report.device_name for report in reports} - {None, who.vehicle_id}:
            raise Refusal(ErrorCode.FORBIDDEN, "The token is another vehicle's: set its id in the app.")
        locations = [report.location for report in reports if report.location is not None]
        now = timezone.now()
        taken = reports_take(who=who, source=self.source, reports=locations, now=now)
        for location, result in zip(locations, taken.results, strict=True):
            if isinstance(location, LocationData) and location.alarm is not None and isinstance(result, Outcome):
                _alert_raise(who, location, now=now)
        for refusal in [result for result in taken.results if isinstance(result, Refusal)]:
            _log.warning(
                "position refused",
                vehicle=who.vehicle_id,
                source=str(self.source),
                code=str(refusal.code),
                details=refusal.details,
                correlation_id=taken.correlation_id,
            )
        return taken


def _alert_raise(who: Authenticated, location: LocationData, *, now: datetime) -> None:
    """Call for help, once: a tracker says so with every position until its button is released, or the app again."""
    calling = Alert.objects.filter(sender=who.vehicle_pk, type=location.alarm, state__in=[str(s) for s in ACTIVE])
    at = now if location.ts is None else moment(location.ts)
    if calling.exists() or now - at > _ALARM_FOR:
        return
    origin = Origin(
        fleet_pk=who.fleet_pk,
        via=Alert.Via.API,
        client_id=f"alarm-{epoch_ms(at)}",
        vehicle_pk=who.vehicle_pk,
        vehicle_id=who.vehicle_id,
    )
    report = Report(type=location.alarm, lat=location.lat, lng=location.lng, fix_at=at, detected_at=at)
    alert_raise(origin=origin, report=report, now=now)


class OsmAndView(ForeignView):
    """Traccar Client, OsmAnd, and trackers that speak as they do."""

    source = Source.OSMAND

    def get(self, request: Request) -> Response:
        """A report in the address."""
        return Response(self.take(request, [osmand_parse(request.query_params.dict())]).as_json())

    def post(self, request: Request) -> Response:
        """A report in the address or in a form, or one or several as JSON."""
        body = request.data
        if isinstance(body, QueryDict) or not body:
            fields = {**request.query_params.dict(), **(body.dict() if isinstance(body, QueryDict) else {})}
            return Response(self.take(request, [osmand_parse(fields)]).as_json())
        return Response(self.take(request, osmand_parse_json(body)).as_json())


class OwnTracksView(ForeignView):
    """OwnTracks in HTTP mode. The user name is the vehicle's id, the password its token."""

    source = Source.OWNTRACKS

    def post(self, request: Request) -> Response:
        """A message of the app; answered by a list of messages for it, of which there are none."""
        if not request.data:  # it deletes a friend
            return Response([])
        basic = basic_of(request)
        name = request.headers.get("X-Limit-U") or (basic[0] if basic else None)
        self.take(request, [ForeignReport(name, owntracks_parse(request.data))])
        return Response([])
