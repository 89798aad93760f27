"""Whether the server answers."""

from flexiapi.api.handler import Handler
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PlainText


class PingEndpoint(Handler):
    """The shortest answer."""

    path = "/api/ping"

    @endpoint(Access.PUBLIC, example="pong")
    async def get(self) -> PlainText:
        """Return pong."""
        return PlainText(b"pong")
