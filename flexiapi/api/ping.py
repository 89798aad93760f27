"""Whether the server answers."""

from flexiapi.api.handler import Handler
from flexiapi.web.endpoint import Access, endpoint
from flexiapi.web.replies import PlainText


class Ping(Handler):
    """The shortest answer."""

    path = "/api/ping"

    @endpoint(Access.PUBLIC, example="pong")
    async def get(self) -> PlainText:
        """Return pong."""
        return PlainText(b"pong")
