"""The client transaction of every method but INVITE (RFC 3261 section 17.1.2), as one coroutine."""

import asyncio
import secrets
from dataclasses import dataclass

from flexiapi.flexisip.sip_transport import SipTransport
from flexiapi.flexisip.sip_wire import Response, SipRequest


@dataclass(frozen=True, slots=True)
class Timers:
    """T1, the estimated round trip, and T2, the longest wait between retransmissions, in seconds."""

    t1: float = 0.5
    t2: float = 4.0

    @property
    def f(self) -> float:
        """The time that a transaction waits for its final response, in seconds."""
        return 64 * self.t1


STANDARD_TIMERS = Timers()


async def final_response(
    transport: SipTransport, request: SipRequest, cseq: int, timers: Timers = STANDARD_TIMERS
) -> Response:
    """Send the request as the `cseq`th of its call and return the final response to it.

    Over UDP it is retransmitted until a response comes. Provisional responses and those to other requests are ignored.
    Raises `TimeoutError` if no final response comes in time, `ConnectionError` if the transport fails.
    """
    branch = f"z9hG4bK{secrets.token_hex(12)}"
    message = request.encode(f"SIP/2.0/{transport.name} {transport.local};branch={branch};rport", cseq)
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(timers.f):
        interval, due = timers.t1, 0.0
        while True:
            if loop.time() >= due:
                transport.send(message)
                due = float("inf") if transport.reliable else loop.time() + interval
                interval = min(2 * interval, timers.t2)
            response = await _received(transport, due)
            if response is None or not response.answers(branch, request.method):
                continue
            if response.is_final:
                return response
            interval = timers.t2


async def _received(transport: SipTransport, due: float) -> Response | None:
    """Return the next response, or `None` when it is time to retransmit."""
    try:
        async with asyncio.timeout_at(None if due == float("inf") else due):
            return await transport.receive()
    except TimeoutError:
        return None
