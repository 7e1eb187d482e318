"""A vehicle that telephones: real sound over WebRTC, in a thread of its own beside the browser's."""

import asyncio
import json
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from playwright.sync_api import Page

from tests.integration.calls.softphone import RATE, Softphone
from tests.servers.v2v import V2VServer
from v2v.client import CommandRefused, VehicleClient

WAIT_S = 15.0
TONE_HERTZ = 440.0
AUDIBLE = 200  # of 32,768: the microphone's beep is far louder, silence far softer

# The loudest frequency of what the page plays, in hertz; 0 for silence.
HEARS = """
async () => {
  const audio = document.getElementById("call-audio");
  if (!audio.srcObject || audio.paused) return 0;
  window.testContext ??= new AudioContext();
  const context = window.testContext;
  const source = context.createMediaStreamSource(audio.srcObject);
  const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
  source.connect(analyser);
  const begin = context.currentTime;
  while (context.currentTime - begin < 0.3) await new Promise((resolve) => setTimeout(resolve, 20));
  const levels = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(levels);
  source.disconnect();
  const loudest = levels.indexOf(Math.max(...levels));
  return levels[loudest] < -60 ? 0 : (loudest * context.sampleRate) / analyser.fftSize;
}
"""


class Handset:
    """The telephone of a registered vehicle, which sends a tone."""

    def __init__(self, phone: Softphone, loop: asyncio.AbstractEventLoop, vehicle_id: str) -> None:
        self.phone = phone
        self.vehicle_id = vehicle_id
        self._loop = loop
        self._sending: asyncio.Task[None] | None = None

    def call_dispatch(self) -> str:
        """Ring dispatch, and talk once it is answered; the call's id."""

        async def call() -> str:
            await self._put_down()
            return await self.phone.call("dispatch")

        return str(self.do(call()))

    def take(self) -> None:
        """Answer the call that rings, or will within a moment."""

        async def take() -> None:
            await self._put_down()
            await self.phone.take()

        self.do(take())

    def hang_up(self) -> None:
        self.do(self.phone.hang_up())

    def hears_sound(self) -> bool:
        """Whether what it hears within the next second and a half is more than silence."""
        before = len(self.phone.heard)
        deadline = time.monotonic() + 1.5
        while time.monotonic() < deadline:
            heard = self.phone.heard[before:]
            if heard and np.abs(np.concatenate(heard)).max() > AUDIBLE:
                return True
            time.sleep(0.05)
        return False

    def falls_silent(self) -> bool:
        """Whether it comes to hear nothing; what was under way when the other side was muted is still heard."""
        return any(not self.hears_sound() for _ in range(5))

    def send_telemetry(self, hertz: float, **fix: float) -> None:
        """Say that it takes part, and send its fix so often until the call ends."""

        async def send() -> None:
            number = 0
            while (channel := self.phone.channel) is None or channel.readyState != "open":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            while True:
                if number % 10 == 0:
                    channel.send(json.dumps({"want": True}))
                channel.send(json.dumps({"ts": 1_700_000_000_000 + number, **fix}))
                number += 1
                await asyncio.sleep(1 / hertz)

        async def begin() -> None:
            self._sending = asyncio.create_task(send())

        self.do(begin())

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do it in the telephone's own thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_S)

    async def put_away(self) -> None:
        """Hang up whatever is not over, and switch it off."""
        if self.phone.call_id:
            with suppress(CommandRefused):
                await self.phone.client.hang_up(self.phone.call_id)
        await self._put_down()
        await self.phone.client.close()

    async def _put_down(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
        if self.phone.call_id:
            await self.phone.close()


@contextmanager
def with_handset(server: V2VServer, hertz: float = TONE_HERTZ) -> Iterator[Handset]:
    """The telephone of a vehicle that no other test has; it is switched off at the end."""
    vehicle_id, token = server.vehicle()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def switch_on() -> Handset:
        client = VehicleClient(f"{server.ws_url}/ws/vehicle/", vehicle_id=vehicle_id, token=token)
        await client.__aenter__()
        await client.wait_online()
        return Handset(Softphone(client, hertz), loop, vehicle_id)

    handset = asyncio.run_coroutine_threadsafe(switch_on(), loop).result(WAIT_S)
    try:
        yield handset
    finally:
        handset.do(handset.put_away())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(WAIT_S)
        loop.close()


def heard_hertz(page: Page, wanted: float) -> float:
    """What the page hears, once it is near to what is wanted; else what it heard last."""
    deadline = time.monotonic() + 10
    found = 0.0
    while abs(found - wanted) > RATE / 8192 and time.monotonic() < deadline:
        found = page.evaluate(HEARS)
    return found
