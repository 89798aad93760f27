"""HTTP/2 with the windows, the resets and the ids of tries that aioapns lacks."""

import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError

# It would write all headers, with tokens of devices, into a log at the level DEBUG.
logging.getLogger("hpack").setLevel(logging.CRITICAL)

_BETWEEN_ID_AND_TRY = "/"
_LONGEST_BODY = 16384


def name_of_try(apns_id: str, number: int) -> str:
    """Return the id that aioapns knows a try by, which no other try on the connection has."""
    return f"{apns_id}{_BETWEEN_ID_AND_TRY}{number}"


@dataclass(slots=True)
class _Answer:
    name: str
    response: ResponseReceived | None = None
    body: bytes = b""


class ApnsHttp2(H2Connection):
    """The connection of h2 that aioapns sends to and takes its events from.

    aioapns finds requests by the `apns-id` of an answer, so a try bears a name of its own there; APNs sees the real id.
    `numbers` has the open streams by the names of their tries.
    """

    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[str, int] = {}
        self._answers: dict[int, _Answer] = {}

    def send_headers(self, stream_id: int, headers: Iterable[Any], *args: Any, **options: Any) -> None:
        """Send the real `apns-id` in place of the name of the try, and 0 where aioapns omits `apns-expiration`.

        Without that header, APNs would choose how long it keeps a notification; aioapns would write 0 seconds as now.
        """
        sent = dict(headers)
        name = sent["apns-id"]
        self.numbers[name] = stream_id
        self._answers[stream_id] = _Answer(name)
        sent["apns-id"] = name.partition(_BETWEEN_ID_AND_TRY)[0]
        sent.setdefault("apns-expiration", "0")
        super().send_headers(stream_id, sent.items(), *args, **options)

    def take_back(self, name: str) -> int | None:
        """Reset the stream of a try, so that APNs does not process it later, and return its number.

        Return `None` if it has ended. aioapns has no way to give up a request.
        """
        number = self.numbers.get(name)
        if number is not None:
            self._forget(number)
            # The connection may be over, or the headers may not have been sent.
            with suppress(ProtocolError):
                self.reset_stream(number, ErrorCodes.CANCEL)
        return number

    def receive_data(self, data: Any) -> list[Event]:
        """Process received data, and return the events that aioapns knows: of others it would write warnings.

        Bodies are acknowledged, which aioapns does not: APNs could send no more than 64 KiB over all answers together.
        """
        return [known for event in super().receive_data(data) for known in self._known(event)]

    def _known(self, event: Event) -> list[Event]:
        if isinstance(event, RemoteSettingsChanged | ConnectionTerminated):
            return [event]
        if isinstance(event, DataReceived):
            self.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        if isinstance(event, ResponseReceived | DataReceived | StreamEnded | StreamReset):
            answer = self._answers.get(event.stream_id)
            return [] if answer is None else self._gathered(event, answer)
        return []

    def _gathered(
        self, event: ResponseReceived | DataReceived | StreamEnded | StreamReset, answer: _Answer
    ) -> list[Event]:
        """Return an answer when it is whole: aioapns takes each part of a body for all of it.

        A stream that is reset has ended, without an answer: aioapns would let the caller wait.
        """
        if isinstance(event, ResponseReceived):
            answer.response = event
            return []
        if isinstance(event, DataReceived):
            answer.body += event.data[: _LONGEST_BODY - len(answer.body)]
            return []
        self._forget(event.stream_id)
        ended = StreamEnded(stream_id=event.stream_id)
        if isinstance(event, StreamReset) or answer.response is None:
            return [ended]
        headers = {**dict(answer.response.headers), b"apns-id": answer.name.encode()}
        answer.response.headers = list(headers.items())
        body = DataReceived(stream_id=event.stream_id, data=answer.body, flow_controlled_length=0)
        return [answer.response, *([body] if answer.body else []), ended]

    def _forget(self, number: int) -> None:
        del self.numbers[self._answers.pop(number).name]
