"""Tells the operator when MongoDB goes away and when it is back: one line each, whatever the number of requests."""

import re

from pymongo.monitoring import (
    TopologyClosedEvent,
    TopologyDescriptionChangedEvent,
    TopologyListener,
    TopologyOpenedEvent,
)

from flexiapi.observing import log

_DETAILS = re.compile(r" \(configured timeouts|, Timeout: |, full error: ")


def reason_of(error: Exception) -> str:
    """What PyMongo says, without its picture of the topology and the server's whole reply."""
    return _DETAILS.split(str(error), maxsplit=1)[0]


class Outage(TopologyListener):
    """Hears from the driver's own monitor; who has never found MongoDB ends with that, and needs no line here."""

    def __init__(self) -> None:
        self._is_on = False

    def opened(self, event: TopologyOpenedEvent) -> None:
        """The client begins to look."""

    def description_changed(self, event: TopologyDescriptionChangedEvent) -> None:
        """Servers were found or lost."""
        before, now = event.previous_description, event.new_description
        servers = now.server_descriptions().values()
        if before.has_writable_server() and not now.has_writable_server() and servers:
            self._is_on = True
            errors = [reason_of(server.error) for server in servers if server.error is not None]
            log.error("the database is away", reason=errors[0] if errors else "it has no primary")
        elif self._is_on and now.has_writable_server():
            self._is_on = False
            log.warning("the database is back")

    def closed(self, event: TopologyClosedEvent) -> None:
        """The client is closed."""
