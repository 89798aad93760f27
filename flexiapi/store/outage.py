"""Log of MongoDB outages: one line at the beginning and one at the end, independent of the number of requests."""

import errno
import re
from collections.abc import Iterable

from pymongo.monitoring import (
    ServerHeartbeatFailedEvent,
    ServerHeartbeatListener,
    ServerHeartbeatStartedEvent,
    ServerHeartbeatSucceededEvent,
    TopologyClosedEvent,
    TopologyDescriptionChangedEvent,
    TopologyListener,
    TopologyOpenedEvent,
)

from flexiapi.observing import log

_DETAILS = re.compile(r" \(configured timeouts|, Timeout: |, full error: ")


def reason_of(error: Exception) -> str:
    """Return PyMongo's message without the topology description and the server's reply."""
    return _DETAILS.split(str(error), maxsplit=1)[0]


# The driver keeps the text of the cause only. The name of a Unix socket is there as long as its server.
_REFUSED = re.compile(rf"\[Errno ({errno.ECONNREFUSED}|{errno.ENOENT})\]")


class Outage(TopologyListener, ServerHeartbeatListener):
    """A listener of the driver's monitor. Of a MongoDB that was never found the start tells.

    `refusal` is the reason while all servers refuse connections, so that it is useless to wait for one.
    """

    def __init__(self, *, is_told: bool = True) -> None:
        self.refusal = ""
        self._is_told = is_told
        self._is_on = False

    def opened(self, event: TopologyOpenedEvent) -> None:
        """Ignore the start of monitoring."""

    def description_changed(self, event: TopologyDescriptionChangedEvent) -> None:
        """Log that the primary was lost or found."""
        before, now = event.previous_description, event.new_description
        servers = now.server_descriptions().values()
        self.refusal = _refusal(server.error for server in servers)
        if not self._is_told:
            return
        if before.has_writable_server() and not now.has_writable_server() and servers:
            self._is_on = True
            errors = [reason_of(server.error) for server in servers if server.error is not None]
            log.error("the database is away", reason=errors[0] if errors else "it has no primary")
        elif self._is_on and now.has_writable_server():
            self._is_on = False
            log.warning("the database is back")

    def closed(self, event: TopologyClosedEvent) -> None:
        """Ignore the end of monitoring."""

    def started(self, event: ServerHeartbeatStartedEvent) -> None:
        """Ignore that a server is asked."""

    def succeeded(self, _event: ServerHeartbeatSucceededEvent) -> None:
        """Use a server as soon as it answers: the driver tells changes of the topology up to a second late."""
        self.refusal = ""

    def failed(self, event: ServerHeartbeatFailedEvent) -> None:
        """Ignore the failure of one server."""


def _refusal(errors: Iterable[Exception | None]) -> str:
    """Return the first reason if all servers refuse connections, else an empty string."""
    reasons = ["" if error is None else reason_of(error) for error in errors]
    return reasons[0] if reasons and all(map(_REFUSED.search, reasons)) else ""
