"""Calls: ringing, answering, hanging up, and the signalling of WebRTC. What comes back comes as events."""

from typing import Literal

from v2v.protocol import commands
from v2v.protocol.events import Ack

DEADLINE_S = 10.0


class CallCommands:
    """The part of a client that calls. `call_incoming`, `call_state` and `webrtc_...` are among its events.

    All raise as `Client.command` does. To ring, answer, reject and hang up outlive a lost connection until the
    deadline; signalling does not: after a lost connection send a new offer.
    """

    async def command(self, command: commands.Command, *, deadline_s: float = DEADLINE_S) -> Ack:
        """Send a command and give the server's ack."""
        raise NotImplementedError

    async def call(
        self, callee_id: str, *, media: Literal["audio", "video"] = "audio", deadline_s: float = DEADLINE_S
    ) -> Ack.Data:
        """Ring a vehicle, or `dispatch`: `call_id`, `ice_servers`, and in `outcome` the state.

        `ringing`; `rejected` by one who is in another call; `active` when the callee was ringing this side. Raises
        CommandRefused with the code `target_offline` when nobody is there.
        """
        data = commands.CallInitiateData(callee_id=callee_id, media=media)
        return (await self.command(commands.CallInitiate(data=data), deadline_s=deadline_s)).data

    async def answer(self, call_id: str, *, deadline_s: float = DEADLINE_S) -> Ack.Data:
        """Take a call that rings: `ice_servers`. Raises CommandRefused with `conflict` when another was faster."""
        data = commands.CallIdData(call_id=call_id)
        return (await self.command(commands.CallAnswer(data=data), deadline_s=deadline_s)).data

    async def reject(
        self, call_id: str, *, reason: commands.RejectReason = "declined", deadline_s: float = DEADLINE_S
    ) -> None:
        """Do not take a call."""
        data = commands.CallRejectData(call_id=call_id, reason=reason)
        await self.command(commands.CallReject(data=data), deadline_s=deadline_s)

    async def hang_up(
        self, call_id: str, *, reason: commands.EndReason = "hangup", deadline_s: float = DEADLINE_S
    ) -> None:
        """End a call, or stop ringing."""
        data = commands.CallEndData(call_id=call_id, reason=reason)
        await self.command(commands.CallEnd(data=data), deadline_s=deadline_s)

    async def send_offer(self, call_id: str, sdp: str) -> None:
        """Send a session description to the other device."""
        await self.command(commands.WebrtcOffer(data=commands.SessionDescriptionData(call_id=call_id, sdp=sdp)))

    async def send_answer(self, call_id: str, sdp: str) -> None:
        """Answer its session description."""
        await self.command(commands.WebrtcAnswer(data=commands.SessionDescriptionData(call_id=call_id, sdp=sdp)))

    async def send_candidate(
        self, call_id: str, candidate: str, *, sdp_mid: str | None = None, sdp_m_line_index: int | None = None
    ) -> None:
        """Tell it where this one may be reached; an empty candidate is the last."""
        data = commands.IceCandidateData(
            call_id=call_id, candidate=candidate, sdp_mid=sdp_mid, sdp_m_line_index=sdp_m_line_index
        )
        await self.command(commands.WebrtcIceCandidate(data=data))
