"""The GTFS-realtime feed over HTTP."""

from datetime import timedelta

from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from google.protobuf.json_format import MessageToDict
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from v2v.api.naming import CamelSerializer
from v2v.api.permissions import actor_of
from v2v.fleets.policy import Action
from v2v.tracking.gtfs import CONTENT_TYPE, feed_of, statuses_since

# "Data within feeds of vehicle positions should not be older than 90 seconds" (GTFS-realtime's best practices).
_MAX_AGE_S = 90


class FeedQuery(CamelSerializer):
    """Which vehicles, and how."""

    fleet = serializers.CharField(max_length=40, required=False, help_text="All that you may view when missing.")
    max_age_s = serializers.IntegerField(
        min_value=1, max_value=86_400, default=_MAX_AGE_S, help_text="Vehicles heard within so many seconds."
    )
    format = serializers.ChoiceField(["protobuf", "json"], default="protobuf")


class VehiclePositionsView(APIView):
    """Where the vehicles are now, for programs of public transport."""

    action_to_read = action_to_write = Action.VIEW

    @extend_schema(
        summary="Vehicle positions as GTFS-realtime",
        parameters=[FeedQuery],
        responses={(200, CONTENT_TYPE): OpenApiTypes.BINARY, (200, "application/json"): OpenApiTypes.OBJECT},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """As last stored, which is at most some seconds ago."""
        query = FeedQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked, now = query.validated_data, timezone.now()
        since = now - timedelta(seconds=asked["max_age_s"])
        statuses = statuses_since(actor=actor_of(request), since=since, fleet=asked.get("fleet"))
        feed = feed_of(statuses, now=now)
        if asked["format"] == "json":
            return Response(MessageToDict(feed))
        return HttpResponse(feed.SerializeToString(), content_type=CONTENT_TYPE)
