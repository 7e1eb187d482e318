"""A telephone in software: WebRTC (aiortc) between two sides that know each other through our signalling only."""

import asyncio
import fractions
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.sdp import candidate_from_sdp

from v2v.client.client import Client
from v2v.protocol import events

RATE = 48_000  # samples a second, as Opus has them
_FRAME = 960  # samples: 20 ms


class Tone(MediaStreamTrack):
    """A sine that goes on."""

    kind = "audio"

    def __init__(self, hertz: float) -> None:
        super().__init__()
        self._hertz = hertz
        self._sent = 0
        self._began = 0.0

    async def recv(self) -> av.AudioFrame:
        clock = asyncio.get_running_loop().time
        self._began = self._began or clock()
        await asyncio.sleep(self._began + self._sent / RATE - clock())
        moments = (self._sent + np.arange(_FRAME)) / RATE
        samples = (12_000 * np.sin(2 * np.pi * self._hertz * moments)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._sent, fractions.Fraction(1, RATE)
        self._sent += _FRAME
        return frame


class Softphone:
    """One side of calls. Sends a tone and telemetry, and keeps what it hears."""

    def __init__(self, client: Client, hertz: float) -> None:
        self.client = client
        self.call_id = ""
        self.heard: list[np.ndarray] = []
        self.first_heard = asyncio.Event()
        self.telemetry: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.connection: RTCPeerConnection
        self._events = client.events()
        self._hertz = hertz
        self._early: list[events.WebrtcIceCandidate.Data] = []
        self._task: asyncio.Task[None] | None = None

    # ---- What its user does

    async def call(self, callee_id: str, *, relay_only: bool = False) -> str:
        """Ring, and talk once it is answered; the call's id."""
        ack = await self.client.call(callee_id)
        self.call_id = ack.call_id or ""
        self._open(ack.ice_servers, relay_only)
        self.channel: RTCDataChannel = self.connection.createDataChannel("telemetry", ordered=False, maxRetransmits=0)
        self._task = asyncio.create_task(self._caller())
        return self.call_id

    async def take(self, *, relay_only: bool = False) -> str:
        """Wait for a call, and answer it; its id."""
        incoming = await self._next(events.CallIncoming)
        self.call_id = incoming.data.call_id
        ack = await self.client.answer(self.call_id)
        self._open(ack.ice_servers, relay_only)
        self._task = asyncio.create_task(self._callee())
        return self.call_id

    async def hang_up(self) -> None:
        await self.client.hang_up(self.call_id)
        await self.close()

    async def close(self) -> None:
        """Put it down: the media ends."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self.connection.close()

    def loudest_hertz(self, seconds: float = 0.5) -> float:
        """The frequency of what it heard last."""
        samples = np.concatenate(self.heard)[-int(seconds * RATE) :].astype(float)
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
        return float(np.fft.rfftfreq(len(samples), 1 / RATE)[spectrum.argmax()])

    def candidate_types(self) -> set[str]:
        """Of what kind the addresses are under which it may be reached."""
        lines = self.connection.localDescription.sdp.splitlines()
        return {line.split(" typ ")[1].split()[0] for line in lines if line.startswith("a=candidate:")}

    # ---- WebRTC

    def _open(self, servers: Sequence[events.IceServer] | None, relay_only: bool) -> None:
        ice = [RTCIceServer(each.urls, each.username, each.credential) for each in servers or ()]
        policy = RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=ice, iceTransportPolicy=policy))
        self.connection.addTrack(Tone(self._hertz))
        self.connection.on("track", lambda track: asyncio.ensure_future(self._listen(track)))
        self.connection.on("datachannel", lambda channel: channel.on("message", self._telemetry_came))

    async def _caller(self) -> None:
        while (await self._next(events.CallState)).data.state != "active":
            pass
        await self.connection.setLocalDescription(await self.connection.createOffer())
        await self._send_local(self.client.send_offer)
        answer = await self._next(events.WebrtcAnswer)
        await self._set_remote(answer.data.sdp, "answer")
        await self._take_candidates()

    async def _callee(self) -> None:
        offer = await self._next(events.WebrtcOffer)
        await self._set_remote(offer.data.sdp, "offer")
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        await self._send_local(self.client.send_answer)
        await self._take_candidates()

    async def _send_local(self, send: Any) -> None:
        """The description without its candidates, and then each of them on its own, as browsers do."""
        lines = self.connection.localDescription.sdp.splitlines()
        is_candidate = [line.startswith(("a=candidate:", "a=end-of-candidates")) for line in lines]
        kept = [line for line, is_one in zip(lines, is_candidate, strict=True) if not is_one]
        await send(self.call_id, "".join(f"{line}\r\n" for line in kept))
        mid = next(line.removeprefix("a=mid:") for line in lines if line.startswith("a=mid:"))
        told = {line.removeprefix("a=") for line in lines if line.startswith("a=candidate:")}
        for candidate in [*sorted(told), ""]:
            await self.client.send_candidate(self.call_id, candidate, sdp_mid=mid, sdp_m_line_index=0)

    async def _set_remote(self, sdp: str, kind: str) -> None:
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp, kind))
        early, self._early = self._early, []
        for data in early:
            await self._add(data)

    async def _take_candidates(self) -> None:
        while True:
            await self._add((await self._next(events.WebrtcIceCandidate)).data)

    async def _add(self, data: events.WebrtcIceCandidate.Data) -> None:
        candidate = candidate_from_sdp(data.candidate.removeprefix("candidate:")) if data.candidate else None
        if candidate is not None:
            candidate.sdpMid, candidate.sdpMLineIndex = data.sdp_mid, data.sdp_m_line_index
        await self.connection.addIceCandidate(candidate)

    async def _listen(self, track: MediaStreamTrack) -> None:
        with suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.AudioFrame)
                self.heard.append(frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0])
                self.first_heard.set()

    def _telemetry_came(self, message: str) -> None:
        self.telemetry.put_nowait(json.loads(message))

    async def _next(self, kind: Any) -> Any:
        """The next event of that kind of this call; candidates that come too early are kept."""
        async for event in self._events:
            data: Any = getattr(event, "data", None)
            is_ours = not self.call_id or getattr(data, "call_id", "") == self.call_id
            if isinstance(event, kind) and is_ours:
                return event
            if isinstance(event, events.WebrtcIceCandidate) and is_ours:
                self._early.append(event.data)
        raise AssertionError("the client was closed")
