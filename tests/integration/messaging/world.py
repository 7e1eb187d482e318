"""A fleet whose dispatcher looks at his pages, and another that is none of his business."""

import re
from datetime import timedelta
from typing import Any

from django.test import Client

from tests.integration.people import NOW, fleet_make, user_make, vehicle_make
from v2v.fleets.models import Role
from v2v.fleets.policy import Actor, actor_of_user, actor_of_vehicle
from v2v.messaging.models import Message
from v2v.messaging.services import message_send
from v2v.vehicles.models import Vehicle

PART = {"HX-Request": "true"}


class World:
    """Fleet north with two trucks and a dispatcher who is signed in, and fleet south of others."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.fleet = fleet_make("north")
        self.trucks = [vehicle_make(self.fleet, f"truck-{n}", driver_name=name) for n, name in ((1, "Amina"), (2, ""))]
        self.user = user_make("ann", fleet=self.fleet, role=Role.DISPATCHER)
        self.dispatch = actor_of_user(self.user)
        client.force_login(self.user)
        self.south = fleet_make("south")
        self.van = vehicle_make(self.south, "van-1")
        self._minutes = 0

    def of(self, vehicle: Vehicle) -> Actor:
        return actor_of_vehicle(vehicle_pk=vehicle.pk, vehicle_id=vehicle.vehicle_id, fleet_pk=vehicle.fleet_id)

    def say(self, sender: Actor, content: str = "Hello", **more: Any) -> Message:
        """Each a minute after the one before."""
        self._minutes += 1
        now = NOW + timedelta(minutes=self._minutes)
        given: dict[str, Any] = {"actor": sender, "content": content, "now": now, "via": "ws", **more}
        return message_send(**given).message

    def get(self, address: str, **query: Any) -> str:
        answer = self.client.get(address, query, headers=PART)
        assert answer.status_code == 200, answer.status_code
        return answer.content.decode()

    def listed(self, **query: Any) -> list[str]:
        return re.findall(r'data-conversation="([^"]+)"', self.get("/conversations/", **query))

    def shown(self, address: str, **query: Any) -> list[str]:
        return re.findall(r'class="message-body">(.*?)</p>', self.get(address, **query), re.DOTALL)

    def drawer(self, name: str) -> str:
        return self.get("/drawer/", conversation=name)
