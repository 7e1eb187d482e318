"""One health check: its deadline, and that it never costs more than one thread."""

import threading
import time

from config.health import Check


def test_what_answers_is_up_with_its_latency() -> None:
    def slow() -> str:
        time.sleep(0.01)
        return "up"

    answer = Check("good", slow)()
    assert answer["status"] == "up"
    assert answer["latencyMs"] >= 10


def test_what_raises_is_down() -> None:
    def broken() -> str:
        raise ConnectionError("refused")

    assert Check("broken", broken)() == {"status": "down", "latencyMs": None}


def test_what_hangs_is_down_at_its_deadline_then_at_once_and_up_again_when_it_answers() -> None:
    answers, asked = threading.Event(), []

    def hanging() -> str:
        asked.append(threading.current_thread())
        answers.wait()
        return "up"

    check = Check("hanging", hanging, deadline_s=0.05)
    assert check()["status"] == "down"
    assert [check()["status"] for _ in range(20)] == ["down"] * 20
    assert len(asked) == 1
    assert asked[0].daemon
    answers.set()
    asked[0].join()
    assert check()["status"] == "up"
