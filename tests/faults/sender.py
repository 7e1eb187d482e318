"""A program that speaks for several vehicles, prints what was acked, and may be killed at any moment.

Reads `{"url": ..., "vehicles": {id: token}}` from its input. Each vehicle raises an alert and sends messages, all at
once, under ids that are the same whenever it runs; a line `id made` is printed for each ack.
"""

import json
import sys
import threading
import time
from dataclasses import dataclass

from tests.faults.peer import Peer, vehicle_peer

MESSAGES = 5  # of a vehicle, within the burst of its limit
_printing = threading.Lock()


@dataclass(frozen=True)
class Address:
    url: str


def commands_of(vehicle_id: str) -> dict[str, tuple[str, dict[str, str]]]:
    """What a vehicle sends, by id."""
    commands = {f"{vehicle_id}-alert": ("emergency_alert", {"type": "medical"})}
    for number in range(MESSAGES):
        commands[f"{vehicle_id}-{number}"] = ("send_message", {"recipientId": "dispatch", "content": str(number)})
    return commands


def speak(peer: Peer, commands: dict[str, tuple[str, dict[str, str]]]) -> None:
    left = dict(commands)
    for id_, (event, data) in commands.items():
        peer.event(event, data, id=id_)
    while left:
        answer, details = peer.either("ack", "error")
        id_ = details["id"]
        if answer == "ack":
            left.pop(id_)
            with _printing:
                print(id_, details.get("alertId") or details["messageId"], flush=True)  # noqa: T201
            continue
        assert details["code"] == "rate_limited", details
        time.sleep(details["details"]["retryAfterMs"] / 1000)
        peer.event(*left[id_], id=id_)


def main() -> None:
    given = json.load(sys.stdin)
    threads = [
        threading.Thread(target=speak, args=(vehicle_peer(Address(given["url"]), who), commands_of(who[0])))
        for who in given["vehicles"].items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
