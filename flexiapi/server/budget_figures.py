"""Prometheus metrics of the budgets of SMS."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from prometheus_client import Gauge

from flexiapi.concurrency.tasks import attempted, beside
from flexiapi.services.limiter import Limiter

SECONDS = 30.0

used = Gauge(
    "flexiapi_sms_budget_used",
    "SMS and calls of the present day of a budget: `total`, or that of a prefix",
    ["budget"],
    multiprocess_mode="mostrecent",
)
most = Gauge(
    "flexiapi_sms_budget", "SMS and calls that a budget has for a day", ["budget"], multiprocess_mode="mostrecent"
)


class BudgetFigures:
    """The metrics, which each process reads from the database: all processes of all hosts count there."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Measure now and then in the block. Without budgets do nothing."""
        if not self._limiter.has_sms_budgets:
            yield
            return
        async with beside(self._measure_for_ever()):
            yield

    async def _measure_for_ever(self) -> None:
        while True:
            await attempted(self.measure(), "budgets of SMS not measured")
            await asyncio.sleep(SECONDS)

    async def measure(self) -> None:
        """Set the metrics."""
        for budget in await self._limiter.sms_budgets():
            used.labels(budget.name).set(budget.used)
            most.labels(budget.name).set(budget.most)
