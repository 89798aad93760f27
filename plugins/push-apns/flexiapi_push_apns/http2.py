"""HTTP/2 with the windows, the resets and the ids of tries that aioapns lacks."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from h2.connection import ConnectionState, H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError

# It would write all headers, with tokens of devices, into a log at the level DEBUG.
logging.getLogger("hpack").setLevel(logging.CRITICAL)

_BETWEEN_ID_AND_TRY = "/"
_LONGEST_BODY = 16384
_FRAME_HEADER = 9


def name_of_try(apns_id: str, number: int) -> str:
    """Return the id that aioapns knows a try by, which no other try on the connection has."""
    return f"{apns_id}{_BETWEEN_ID_AND_TRY}{number}"


@dataclass(slots=True)
class _Try:
    name: str
    unsent: bytes = b""
    response: ResponseReceived | None = None
    body: bytes = b""


class ApnsHttp2(H2Connection):
    """The connection of h2 that aioapns sends to and takes its events from.

    aioapns finds requests by the `apns-id` of an answer, so a try bears a name of its own there; APNs sees the real id.
    `numbers` has the open streams by the names of their tries.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_broken = False
        self.numbers: dict[str, int] = {}
        self._tries: dict[int, _Try] = {}
        self._unread = b""

    def send_headers(self, stream_id: int, headers: Iterable[Any], *args: Any, **options: Any) -> None:
        """Send the real `apns-id` in place of the name of the try, and 0 where aioapns omits `apns-expiration`.

        Without that header, APNs would choose how long it keeps a notification; aioapns would write 0 seconds as now.
        """
        sent = dict(headers)
        name = sent["apns-id"]
        self.numbers[name] = stream_id
        self._tries[stream_id] = _Try(name)
        sent["apns-id"] = name.partition(_BETWEEN_ID_AND_TRY)[0]
        sent.setdefault("apns-expiration", "0")
        super().send_headers(stream_id, sent.items(), *args, **options)

    def send_data(self, stream_id: int, data: Any, *args: Any, **options: Any) -> None:  # noqa: ARG002 - of h2
        """Send as much of a payload as the server's windows allow, and the rest as they grow: aioapns would fail."""
        self._tries[stream_id].unsent = data
        self._pour(stream_id)

    def _pour(self, number: int) -> None:
        tried = self._tries[number]
        while tried.unsent:
            room = min(self.local_flow_control_window(number), self.max_outbound_frame_size)
            if room <= 0:
                return
            part, tried.unsent = tried.unsent[:room], tried.unsent[room:]
            super().send_data(number, part, end_stream=not tried.unsent)

    def take_back(self, name: str) -> int | None:
        """Reset the stream of a try, so that APNs does not process it later, and return its number.

        Return `None` if it has ended. aioapns has no way to give up a request.
        """
        number = self.numbers.get(name)
        if number is not None:
            self._forget(number)
            self._reset(number)
        return number

    def _reset(self, number: int) -> None:
        # The connection may be over, or the headers may not have been sent.
        with suppress(ProtocolError):
            self.reset_stream(number, ErrorCodes.CANCEL)

    def _forget(self, number: int) -> None:
        del self.numbers[self._tries.pop(number).name]

    def receive_data(self, data: Any) -> list[Event]:
        """Process received data, and return the events that aioapns knows: of others it would write warnings.

        `is_broken` tells of invalid data.
        """
        self._unread += data
        known = []
        try:
            for frame in self._frames():
                for event in super().receive_data(frame):
                    known += self._known(event)
        except (ProtocolError, ValueError):
            self.is_broken = True
        return known

    def _frames(self) -> Iterator[bytes]:
        """Yield the frames in what was received, one by one: h2 forgets the events of others before one that fails."""
        while len(self._unread) >= _FRAME_HEADER:
            length = _FRAME_HEADER + int.from_bytes(self._unread[:3])
            if length > _FRAME_HEADER + self.max_inbound_frame_size:
                raise ProtocolError
            if len(self._unread) < length:
                return
            frame, self._unread = self._unread[:length], self._unread[length:]
            yield frame

    def _known(self, event: Event) -> list[Event]:
        """Return what an event is to aioapns.

        Bodies are acknowledged, which aioapns does not: APNs could send no more than 64 KiB over all answers together.
        """
        if isinstance(event, RemoteSettingsChanged | WindowUpdated):
            for number in self._tries:
                self._pour(number)
        if isinstance(event, ConnectionTerminated):
            # h2 takes GOAWAY for the end of everything; what is under way is still answered.
            self.state_machine.state = ConnectionState.CLIENT_OPEN
        if isinstance(event, RemoteSettingsChanged | ConnectionTerminated):
            return [event]
        if isinstance(event, DataReceived):
            self.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        if isinstance(event, ResponseReceived | DataReceived | StreamEnded | StreamReset):
            tried = self._tries.get(event.stream_id)
            return [] if tried is None else self._gathered(event, tried)
        return []

    def _gathered(self, event: ResponseReceived | DataReceived | StreamEnded | StreamReset, tried: _Try) -> list[Event]:
        """Return an answer when it is whole: aioapns takes each part of a body for all of it.

        A stream that is reset has ended, without an answer: aioapns would let the caller wait.
        """
        if isinstance(event, ResponseReceived):
            tried.response = event
            return []
        if isinstance(event, DataReceived):
            tried.body += event.data[: _LONGEST_BODY - len(tried.body)]
            return []
        self._forget(event.stream_id)
        ended = StreamEnded(stream_id=event.stream_id)
        if isinstance(event, StreamReset) or tried.response is None:
            return [ended]
        if tried.unsent:
            self._reset(event.stream_id)
        headers = {**dict(tried.response.headers), b"apns-id": tried.name.encode()}
        tried.response.headers = list(headers.items())
        body = DataReceived(stream_id=event.stream_id, data=tried.body, flow_controlled_length=0)
        return [tried.response, *([body] if tried.body else []), ended]
