"""Metrics for Prometheus."""

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.errors import RecordNotFound
from flexiapi.observing import metrics_text
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PlainText


class MetricsEndpoint(ApiEndpoint):
    """The metrics of all server processes."""

    path = "/metrics"
    is_never_throttled = True

    @endpoint(Access.PUBLIC, hidden=True, raises=(RecordNotFound,))
    async def get(self) -> PlainText:
        """Return the metrics in Prometheus' text format, to clients in the configured networks."""
        settings = self.settings.metrics
        if not settings.enabled or not self.context.peers.is_within(self.request, settings.networks):
            raise RecordNotFound
        return PlainText(metrics_text())
