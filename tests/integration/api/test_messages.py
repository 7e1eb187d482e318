"""Messages over REST."""

from base64 import b64encode
from typing import Any

import pytest

from tests.integration.api.conftest import ClientOf, World, problem_of


def sent(client: Any, body: dict[str, Any], status: int = 201) -> dict[str, Any]:
    response = client("POST", "messages", body)
    assert response.status_code == status, response.content
    return dict(response.json())


def test_a_dispatcher_sends_a_vehicle_reads_and_the_status_shows(client_of: ClientOf) -> None:
    desk, truck = client_of("dispatcher@north"), client_of("truck-1")
    made = sent(desk, {"recipientId": "truck-1", "content": "<b>Call</b>"})
    assert (made["senderId"], made["senderName"], made["recipientId"]) == ("dispatch", "dispatcher@north", "truck-1")
    assert made["recipients"] == {"queued": 1, "delivered": 0, "read": 0, "expired": 0}
    (found,) = truck.get("messages")["results"]
    assert (found["content"], found["via"]) == ("<b>Call</b>", "api")
    assert truck("POST", f"messages/{made['messageId']}/read").status_code == 204
    assert desk.get(f"messages/{made['messageId']}")["recipients"]["read"] == 1


def test_the_same_key_is_the_same_message(client_of: ClientOf) -> None:
    truck = client_of("truck-1")
    truck._headers["Idempotency-Key"] = "k-1"
    body = {"recipientId": "dispatch", "content": "Late"}
    first = sent(truck, body)
    assert sent(truck, body, 200)["messageId"] == first["messageId"]
    assert len(truck.get("messages")["results"]) == 1
    truck._headers["Idempotency-Key"] = "k" * 65
    problem_of(truck("POST", "messages", body), 400, "validation_error")


def test_messages_are_filtered_and_paged(client_of: ClientOf) -> None:
    desk, truck = client_of("dispatcher@north"), client_of("truck-1")
    sent(truck, {"recipientId": "dispatch", "content": "one"})
    sent(truck, {"recipientId": "truck-2", "content": "two"})
    sent(desk, {"broadcast": True, "content": "three"})

    def contents(**query: Any) -> list[str]:
        return [each["content"] for each in desk.get("messages", **query)["results"]]

    assert contents() == ["three", "two", "one"]
    assert contents(conversation="truck-1") == ["one"]
    assert contents(conversation="truck-1:truck-2") == ["two"]
    assert contents(conversation="*") == ["three"]
    assert contents(vehicleId="truck-2") == ["two"]
    assert contents(vehicleId="nobody") == []
    assert contents(status="queued", search="thr") == ["three"]
    assert contents(status="read") == []
    assert contents(until=1) == []
    assert contents(since=1) == ["three", "two", "one"]
    page = desk.get("messages", pageSize=2)
    assert len(page["results"]) == 2
    assert page["next"]


@pytest.mark.parametrize("position", ["p=abc", "p=1e99", f"p={'9' * 40}", "o=x", "\x00"])
def test_a_cursor_of_ones_own_making_finds_nothing_or_is_none(client_of: ClientOf, position: str) -> None:
    cursor = b64encode(position.encode()).decode()
    assert client_of("dispatcher@north")("GET", "messages", cursor=cursor).status_code in (200, 404)


def test_conversations_say_what_is_unread(client_of: ClientOf) -> None:
    sent(client_of("truck-1"), {"recipientId": "dispatch", "content": "one"})
    (found,) = client_of("viewer@north").get("conversations")["results"]
    assert (found["key"], found["vehicleId"], found["peerVehicleId"]) == ("truck-1", "truck-1", None)
    assert (found["lastContent"], found["unread"]) == ("one", 1)


def test_fleets_are_apart_and_roles_count(client_of: ClientOf, world: World) -> None:
    made = sent(client_of("truck-1"), {"recipientId": "dispatch", "content": "one"})
    path = f"messages/{made['messageId']}"
    for stranger in ("fleet_admin@south", "van-1", "truck-2"):
        assert client_of(stranger).get("messages")["results"] == []
        problem_of(client_of(stranger)("GET", path), 404, "not_found")
        problem_of(client_of(stranger)("POST", f"{path}/read"), 404, "not_found")
    viewer = client_of("viewer@north")
    problem_of(viewer("POST", f"{path}/read"), 403, "forbidden")
    problem_of(viewer("POST", "messages", {"recipientId": "truck-1", "content": "x"}), 403, "forbidden")
    body = {"recipientId": "van-1", "content": "x"}
    problem_of(client_of("dispatcher@north")("POST", "messages", body), 404, "not_found")
    problem_of(client_of("stranger")("GET", "messages"), 403, "forbidden")


def test_wrong_input_is_refused_with_its_field(client_of: ClientOf) -> None:
    truck = client_of("truck-1")
    wrong: list[dict[str, Any]] = [
        {"recipientId": "dispatch", "content": "a\x07b"},
        {"recipientId": "dispatch", "content": "x" * 513},
        {"recipientId": "dispatch", "content": "{", "contentType": "json"},
        {"recipientId": "dispatch", "content": "x", "broadcast": True},
        {"content": "x"},
        {"recipientId": "dispatch", "content": "x", "ttlMs": 0},
        {"recipientId": "dispatch", "content": "x", "other": 1},
    ]
    for body in wrong:
        problem_of(truck("POST", "messages", body), 400, "validation_error")
    assert truck.get("messages")["results"] == []
