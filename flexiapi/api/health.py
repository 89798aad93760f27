"""Health checks, for front servers and supervisors."""

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.web.closed import NotReady
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PlainText


class HealthEndpoint(ApiEndpoint):
    """The base class of health checks. They are answered also while no other request is."""

    is_health_check = True
    is_shed = False
    is_never_throttled = True


class HealthLiveEndpoint(HealthEndpoint):
    """The check whether the process answers; it needs a restart if not."""

    path = "/health/live"

    @endpoint(Access.PUBLIC, hidden=True)
    async def get(self) -> PlainText:
        """Return "live"."""
        return PlainText(b"live")


class HealthReadyEndpoint(HealthEndpoint):
    """The check whether requests should be sent to the process."""

    path = "/health/ready"

    @endpoint(Access.PUBLIC, hidden=True, raises=(NotReady,))
    async def get(self) -> PlainText:
        """Return "ready", or the reasons why the process is not."""
        reasons = await self.context.unready()
        if reasons:
            raise NotReady(reasons)
        return PlainText(b"ready")
