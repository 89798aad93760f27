"""Delivery reports of providers: verified by the backend, then counted and logged."""

import asyncio
from collections.abc import Sequence
from typing import Any

from flexiapi.errors import Forbidden, MalformedRequest
from flexiapi.notify import figures
from flexiapi.notify.origin import raised_at
from flexiapi.notify.outlet import Outlet
from flexiapi.observing import log
from flexiapi.plugin import Backend, Callback, DeliveryReport, Unverified

_LONGEST_TEXT = 128
_MOST_REPORTS = 1000


def takes_reports(outlet: Outlet[Any]) -> bool:
    """Return whether the backend reads delivery reports."""
    return type(outlet.backend).read_reports is not Backend.read_reports


async def take(outlet: Outlet[Any], callback: Callback, seconds: float) -> None:
    """Count and log what a provider reports. Raises `Forbidden` if it is not the provider, or `MalformedRequest`."""
    try:
        async with asyncio.timeout(seconds):
            reports = _checked(await outlet.backend.read_reports(callback))
    except Unverified:
        _count(outlet, "unverified")
        log.warning("delivery report is not the provider's", backend=outlet.table)
        raise Forbidden from None
    except Exception as error:  # noqa: BLE001 - a plugin may be wrong in any way, and the text may quote the request
        _count(outlet, "unreadable")
        place = raised_at(error, outlet.backend.read_reports)
        log.warning("delivery report cannot be read", backend=outlet.table, kind=type(error).__name__, place=place)
        raise MalformedRequest("The report cannot be read.") from None
    for report in reports:
        _count(outlet, report.status)
        tell = log.warning if report.status == "failed" else log.info
        tell(
            "delivery reported",
            backend=outlet.table,
            status=report.status,
            id=_short(report.id),
            reason=_short(report.reason),
        )


def _checked(reports: Sequence[DeliveryReport]) -> Sequence[DeliveryReport]:
    for report in reports:
        if not isinstance(report, DeliveryReport) or report.status not in ("underway", "delivered", "failed"):
            raise TypeError("a report is a DeliveryReport of one of its states")
    return reports[:_MOST_REPORTS]


def _short(text: str | None) -> str:
    return "" if text is None else str(text)[:_LONGEST_TEXT]


def _count(outlet: Outlet[Any], status: str) -> None:
    figures.reports.labels(outlet.transport, outlet.label, status).inc()
