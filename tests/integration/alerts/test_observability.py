"""What metrics and log tell of alerts."""

import json
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from tests.servers.v2v import V2VServer
from tests.sockets import dispatcher, vehicle

CRASH = {"type": "crash", "severity": "high", "via": "ws"}


def counted(server: V2VServer, labels: dict[str, str]) -> float:
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=10) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == "v2v_emergencies_total" and labels.items() <= sample.labels.items()
    )


async def test_an_alert_is_counted_by_what_it_is_and_a_drill_is_not(server: V2VServer) -> None:
    before, all_before = counted(server, CRASH), counted(server, {})
    async with vehicle(server) as (real, _), vehicle(server) as (drill, _):
        for _ in range(2):  # the same id again is no second alert
            await real.send("emergency_alert", {"type": "crash", "severity": "high"}, id="e")
            await real.next("ack", id="e")
        await drill.send("emergency_alert", {"type": "crash", "severity": "high", "drill": True}, id="e")
        await drill.next("ack", id="e")
    assert (counted(server, CRASH) - before, counted(server, {}) - all_before) == (1, 1)


async def test_the_log_tells_who_raised_what_and_who_took_it(server: V2VServer) -> None:
    async with vehicle(server) as (sender, vehicle_id), dispatcher(server) as (desk, _):
        await sender.send("emergency_alert", {"type": "medical", "message": "not for the log"}, id="e")
        alert_id = (await sender.next("ack", id="e"))["alertId"]
        await desk.send("alert_ack", {"alertId": alert_id}, id="a")
        await desk.next("ack", id="a")
    log = server.log()
    raised, taken = [json.loads(line) for line in log.splitlines() if alert_id in line]
    assert (raised["event"], raised["level"], raised["sender"]) == ("alert raised", "warning", vehicle_id)
    assert (raised["type"], raised["severity"], raised["via"], raised["drill"]) == ("medical", "critical", "ws", False)
    assert (taken["event"], taken["change"], taken["by"]) == ("alert changed", "acknowledged", "alpha_dispatcher")
    assert "not for the log" not in log
