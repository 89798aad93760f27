"""A connection to APNs, which adds limits and error handling to aioapns."""

import asyncio
from collections import deque

from aioapns.common import NotificationRequest, NotificationResult
from aioapns.connection import APNsTLSClientProtocol, AuthorizationHeaderProvider
from aioapns.exceptions import ConnectionClosed
from h2.exceptions import ProtocolError
from h2.settings import ChangedSetting, SettingCodes

# The limit of aioapns for one connection.
_MOST_AT_ONCE = 1000


class ApnsConnection(APNsTLSClientProtocol):
    """Sends up to as many concurrent requests as the server allows, once it has announced how many; others wait.

    The limit is kept here because aioapns cannot raise one that is reached.
    """

    # APNs expects connections to be kept; middleboxes forget idle ones after some minutes.
    INACTIVITY_TIME = 60

    def __init__(self, host: str, authorization: AuthorizationHeaderProvider | None) -> None:
        loop = asyncio.get_running_loop()
        super().__init__("", loop, None, authorization)
        self.APNS_SERVER = host
        self.ready: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def is_over(self) -> bool:
        """True if it cannot send requests any more."""
        return self.lost.done() or self.transport is None or self.transport.is_closing()

    @property
    def _free(self) -> int:
        return min(self.conn.remote_settings.max_concurrent_streams, _MOST_AT_ONCE) - self._under_way

    async def exchange(self, request: NotificationRequest, seconds: float) -> NotificationResult:
        """Send and wait for the answer; without one, the connection is closed. Raises `ConnectionClosed`.

        It must not be cancelled: aioapns would fail on the answer.
        """
        while not self.is_over and self._free <= 0:
            turn = self.loop.create_future()
            self._waiting.append(turn)
            await turn
        if self.is_over:
            raise ConnectionClosed
        self._under_way += 1
        try:
            sending = asyncio.ensure_future(self.send_notification(request))
            answered, _ = await asyncio.wait({sending}, timeout=seconds)
            if not answered:
                self.abort()
            return await sending
        finally:
            self._under_way -= 1
            self._call_up(self._free)

    def abort(self) -> None:
        """Close the connection immediately."""
        if self.transport is not None:
            self.transport.abort()

    def _call_up(self, count: int) -> None:
        while self._waiting and count > 0:
            self._waiting.popleft().set_result(None)
            count -= 1

    def data_received(self, data: bytes) -> None:
        """Process received data; invalid data ends the connection."""
        try:
            super().data_received(data)
        except (ProtocolError, ValueError, KeyError):
            self.abort()

    def on_remote_settings_changed(
        self,
        changed_settings: dict[SettingCodes, ChangedSetting],  # noqa: ARG002 - the name is that of aioapns
    ) -> None:
        """Start waiting requests."""
        if not self.ready.done():
            self.ready.set_result(None)
        self._call_up(self._free)

    def on_data_received(self, raw_data: bytes, stream_id: int) -> None:
        """Pass on the reason of a refusal, but not an empty frame, which aioapns would take for one."""
        if raw_data:
            super().on_data_received(raw_data, stream_id)

    def on_stream_ended(self, stream_id: int) -> None:
        """Forget the request; one that ended without the answer that aioapns looks for has failed."""
        super().on_stream_ended(stream_id)
        notification_id = self.request_streams.pop(stream_id, "")
        self.request_statuses.pop(notification_id, None)
        unanswered = self.requests.pop(notification_id, None)
        if unanswered is not None:
            unanswered.set_exception(ConnectionClosed("an answer without a reason"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail all waiting requests."""
        super().connection_lost(exc)
        if not self.ready.done():
            self.ready.set_exception(ConnectionClosed("before HTTP/2 began"))
        self.lost.set_result(None)
        self._call_up(len(self._waiting))
