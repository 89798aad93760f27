"""A check that the server answers."""

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PlainText


class PingEndpoint(ApiEndpoint):
    """The liveness check, without sign-in or database."""

    path = "/api/ping"

    @endpoint(Access.PUBLIC, example="pong")
    async def get(self) -> PlainText:
        """Return pong."""
        return PlainText(b"pong")
