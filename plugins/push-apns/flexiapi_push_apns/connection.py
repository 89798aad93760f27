"""A connection to APNs: that of aioapns, with the server's limits and callers that leave."""

import asyncio
from collections import deque
from copy import copy
from dataclasses import replace
from itertools import count

from aioapns.common import NotificationRequest, NotificationResult
from aioapns.connection import APNsTLSClientProtocol, AuthorizationHeaderProvider
from aioapns.exceptions import ConnectionClosed
from h2.events import ConnectionTerminated
from h2.exceptions import ProtocolError
from h2.settings import ChangedSetting, SettingCodes

from flexiapi.plugin import retry_after
from flexiapi_push_apns.answers import Answer
from flexiapi_push_apns.http2 import ApnsHttp2, name_of_try

# The limit of aioapns for one connection.
_MOST_AT_ONCE = 1000
# A connection on which nothing has come for so long, although something was asked, may be dead.
_SUSPICIOUS_SECONDS = 1.0


class NotTaken(ConnectionClosed):
    """The server has not looked at the request."""


class ApnsConnection(APNsTLSClientProtocol):
    """Has as many requests under way as the server allows, once it has announced how many; others wait.

    The limit is kept here because aioapns cannot raise one that is reached.
    """

    # APNs expects connections to be kept; middleboxes forget idle ones after some minutes.
    INACTIVITY_TIME = 60

    def __init__(self, host: str, authorization: AuthorizationHeaderProvider | None) -> None:
        loop = asyncio.get_running_loop()
        super().__init__("", loop, None, authorization)
        self.APNS_SERVER = host
        self.conn: ApnsHttp2 = ApnsHttp2()
        self.ready: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()
        self._tries = count(1)
        self._told: dict[str, Answer] = {}
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_retired = False
        self._heard_at = 0.0

    @property
    def is_over(self) -> bool:
        """True if it takes no more requests."""
        return self._is_closed or self._is_retired

    @property
    def _is_closed(self) -> bool:
        return self.lost.done() or self.transport is None or self.transport.is_closing()

    @property
    def _free(self) -> int:
        return min(self.conn.remote_settings.max_concurrent_streams, _MOST_AT_ONCE) - len(self.conn.numbers)

    async def exchange(self, request: NotificationRequest, seconds: float) -> Answer:
        """Send and wait so many seconds for the answer. Raises `ConnectionClosed` and `ProtocolError`.

        A caller that leaves takes its request back, so that APNs does not process it later.
        """
        await self._turn()
        tried = copy(request)
        tried.notification_id = name = name_of_try(request.notification_id, next(self._tries))
        sent_at = self.loop.time()
        try:
            async with asyncio.timeout(seconds):
                # With a place free, it sends before it first waits: no other caller can take the place.
                result = await self.send_notification(tried)
        except TimeoutError:
            self.retire()
            raise ConnectionClosed from None
        except asyncio.CancelledError:
            # The next try must not wait on the same dead connection.
            if self._heard_at < sent_at <= self.loop.time() - _SUSPICIOUS_SECONDS:
                self.retire()
            raise
        else:
            reason = result.description
            return replace(self._told[name], reason=reason if isinstance(reason, str) else "")
        finally:
            self._end(name)

    async def _turn(self) -> None:
        while not self.is_over and self._free <= 0:
            turn = self.loop.create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if not turn.cancelled():
                    self._call_up(1)
                raise
        if self.is_over:
            raise NotTaken

    def _call_up(self, most: int) -> None:
        while self._waiting and most > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                most -= 1

    def _end(self, name: str) -> None:
        self._take_back(name)
        self._told.pop(name, None)
        self._call_up(self._free)
        if self._is_retired and not self.conn.numbers:
            self.abort()

    def _take_back(self, name: str) -> None:
        number = self.conn.take_back(name)
        if number is not None:
            self.on_stream_ended(number)
            self.flush()

    def _drop_abandoned(self) -> None:
        """Take back the requests whose callers are just being cancelled: aioapns would fail on their answers."""
        for name in [name for name, answer in self.requests.items() if answer.cancelled()]:
            self._take_back(name)

    def retire(self) -> None:
        """Take no more requests, and close when those under way are over."""
        self._is_retired = True
        self._call_up(len(self._waiting))
        if not self.conn.numbers:
            self.abort()

    def close(self) -> None:
        """Retire: aioapns calls this when the connection was idle."""
        self.retire()

    def abort(self) -> None:
        """Close immediately."""
        if self.transport is not None:
            self.transport.abort()

    def flush(self) -> None:
        """Write what is to be sent, while the connection is open."""
        if not self._is_closed:
            super().flush()

    def data_received(self, data: bytes) -> None:
        """Process received data; invalid data ends the connection."""
        self._heard_at = self.loop.time()
        self._drop_abandoned()
        try:
            super().data_received(data)
        except (ProtocolError, ValueError):
            self.abort()
        if self.conn.is_broken:
            self.abort()
        self._call_up(self._free)

    def on_remote_settings_changed(
        self,
        changed_settings: dict[SettingCodes, ChangedSetting],  # noqa: ARG002 - the name is that of aioapns
    ) -> None:
        """Begin to send."""
        if not self.ready.done():
            self.ready.set_result(None)

    def on_connection_terminated(self, event: ConnectionTerminated) -> None:
        """Wait for the answers that the server still gives; it has not looked at requests after the last one.

        aioapns would close, and write into the log what the server says.
        """
        last = event.last_stream_id or 0
        for name in [name for number, name in self.request_streams.items() if number > last]:
            request = self.requests.pop(name, None)
            if request is not None and not request.done():
                request.set_exception(NotTaken())
        self.retire()

    def on_response_received(self, headers: dict[bytes, bytes]) -> None:
        """Note the status and `Retry-After`, which a result of aioapns leaves out."""
        wait = retry_after({"retry-after": headers.get(b"retry-after", b"").decode()})
        self._told[headers[b"apns-id"].decode()] = Answer(int(headers[b":status"]), "", wait)
        super().on_response_received(headers)

    def on_data_received(self, raw_data: bytes, stream_id: int) -> None:
        """Pass on the reason of a refusal; a body that is not Apple's has none."""
        try:
            super().on_data_received(raw_data, stream_id)
        except (ValueError, AttributeError, RecursionError):
            return

    def on_stream_ended(self, stream_id: int) -> None:
        """Forget the request; answer it if no reason came, and fail it if no answer came."""
        super().on_stream_ended(stream_id)
        name = self.request_streams.pop(stream_id, "")
        status = self.request_statuses.pop(name, None)
        unanswered = self.requests.pop(name, None)
        if unanswered is None or unanswered.done():
            return
        if status is None:
            unanswered.set_exception(ConnectionClosed())
        else:
            unanswered.set_result(NotificationResult(name, status))

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail all requests under way."""
        self.lost.set_result(None)
        self._drop_abandoned()
        super().connection_lost(exc)
        if not self.ready.done():
            self.ready.set_exception(ConnectionClosed())
            # Nothing may be waiting for it any more.
            self.ready.exception()
        self._call_up(len(self._waiting))
