"""Reports of providers about messages that they accepted."""

from collections.abc import Mapping

from flexiapi.notify import Notifier


class DeliveryReports:
    """The way of a provider's report to the backend that reads it."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier

    async def take(self, label: str, body: bytes, headers: Mapping[str, str], query: str) -> None:
        """Pass on a report. Raises `RecordNotFound`, `Forbidden`, `MalformedRequest`."""
        await self._notifier.report(label, body, headers, query)
