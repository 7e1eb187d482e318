"""Where apps and trackers of others report, each in its own protocol.

An app sends what is refused again and again, and nothing behind it meanwhile. So a position that can never be taken is
answered as if it had been, and logged; what may be mended (the token, the rate, the database) is an error.
"""

from collections.abc import Iterable
from datetime import datetime

import structlog
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from v2v.api.parsers import FormParser, StrictJSONParser
from v2v.fleets.policy import Action
from v2v.protocol.codes import ErrorCode
from v2v.protocol.commands import LocationData
from v2v.protocol.decode import Refusal
from v2v.tracking.foreign.osmand import osmand_parse, osmand_parse_json
from v2v.tracking.foreign.owntracks import owntracks_parse
from v2v.tracking.foreign.report import ForeignReport
from v2v.tracking.models import Source
from v2v.tracking.reports import Taken, reports_take
from v2v.vehicles.authentication import TrackerAuthentication, basic_of
from v2v.vehicles.identity import Authenticated

_log = structlog.get_logger(__name__)


class ForeignView(APIView):
    """What they share: a device token, sent as the app can send it, which says whose vehicle it is."""

    schema = None  # the protocols are described elsewhere
    authentication_classes = [TrackerAuthentication]
    parser_classes = [StrictJSONParser, FormParser]
    action_to_read = action_to_write = Action.PRESENCE
    source: Source

    def take(self, request: Request, reports: list[LocationData | Refusal]) -> Taken:
        """Hand the positions on; what is refused of them is logged."""
        who = _vehicle(request)
        taken = reports_take(who=who, source=self.source, reports=reports, now=timezone.now())
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


class OsmAndView(ForeignView):
    """Traccar Client, OsmAnd, and trackers that speak as they do."""

    source = Source.OSMAND

    def get(self, request: Request) -> Response:
        """A report in the address."""
        return self._answer(request, [request.query_params.dict()])

    def post(self, request: Request) -> Response:
        """A report in the address, in a form, or one or several as JSON."""
        if isinstance(request.data, dict) and not request.data:
            return self.get(request)
        return self._answer(request, request.data)


class OwnTracksView(ForeignView):
    """OwnTracks in HTTP mode."""

    source = Source.OWNTRACKS
