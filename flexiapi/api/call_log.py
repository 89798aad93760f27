"""The event log as people read it: the calls of an account, and numbers of calls and messages."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, create_model

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.event_log import ReportedCallsEndpoint, ReportedMessagesEndpoint
from flexiapi.api.segments import Id
from flexiapi.api.views.calls import CallCountView, CallView, MessageCountView
from flexiapi.api.views.pages import CallsPage
from flexiapi.errors import RecordNotFound
from flexiapi.model import Account, KeyScope
from flexiapi.rendering.tables import csv_table
from flexiapi.services.calls import Grain, ReportDay, Span
from flexiapi.services.conversions import page_number
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params
from flexiapi.web.replies import Csv

_CALLS = {"2026-11-29": {"calls": 12, "answered": 9, "seconds": 1840}}
_MESSAGES = {"2026-11-29": {"messages": 40, "delivered": 38}}


class CallLogPage(Params):
    """A page of a call log."""

    page: Annotated[
        int,
        BeforeValidator(page_number),
        WithJsonSchema({"type": "integer", "minimum": 1}),
        Field(description="which page, from 1 on; each has 30 calls", examples=[1]),
    ] = 1


class _CallLog(ApiEndpoint):
    async def _page(self, account: Account, page: int, path: str) -> CallsPage:
        found = await self.calls.call_log.of(account, page)
        return CallsPage.of(found, [CallView.of(call) for call in found.calls], f"{self.public_url}{path}")


class MyCallLogEndpoint(_CallLog):
    """The calls of the current user."""

    path = "/api/accounts/me/statistics/calls"

    @endpoint(Access.USER)
    async def get(self, query: CallLogPage) -> CallsPage:
        """Retrieve the calls from and to the user, the newest first, paginated.

        They are those that the SIP server reported in the last `statistics.days` (0: none are kept).
        """
        return await self._page(self.me, query.page, self.path)


class CallLogOfAccountEndpoint(_CallLog):
    """The calls of an account."""

    path = "/api/accounts/{id}/statistics/calls"

    @endpoint(Access.ADMIN, scope=KeyScope.ACCOUNTS_READ, raises=(RecordNotFound,))
    async def get(self, id: Id, query: CallLogPage) -> CallsPage:
        """Retrieve the calls from and to an account, the newest first, paginated."""
        account = await self.accounts.directory.for_admin(id, self.space)
        return await self._page(account, query.page, self.path.replace("{id}", str(id)))


_Since = Annotated[
    ReportDay | None, Field(description="first day or time (UTC); by default a day, 30 days or a year before the end")
]
_Until = Annotated[ReportDay | None, Field(description="last day, or the time before which it ends; by default now")]
# `from` cannot be the name of an attribute in a class statement.
_FROM: dict[str, Any] = {"from": (_Since, None)}
_SpanFrom = create_model("_SpanFrom", __base__=Params, **_FROM)


class SpanQuery(_SpanFrom):
    """The time that is counted."""

    to: _Until = None
    by: Annotated[
        Grain,
        WithJsonSchema({"type": "string", "enum": list(Grain), "examples": ["day"]}),
        Field(description="the periods: `hour`, `day` or `month`"),
    ] = Grain.DAY


class _Figures(ApiEndpoint):
    def span_of(self, query: SpanQuery) -> Span:
        """Return the time that is asked for."""
        return self.calls.call_log.span(getattr(query, "from"), query.to, query.by)


class CallFiguresEndpoint(ReportedCallsEndpoint, _Figures):
    """Numbers of calls, and reports of calls."""

    path = "/api/statistics/calls"

    @endpoint(
        Access.ADMIN,
        scope=KeyScope.ACCOUNTS_READ,
        example=_CALLS,
        checks=lambda exchange, values: exchange.calls.call_log.span_faults(values),
    )
    async def get(self, query: SpanQuery) -> dict[str, CallCountView]:
        """Count the calls by hour, day or month (UTC), at most 1000 of them.

        They are those with a party in a domain that the administrator sees. `seconds` is the time from answer to end.
        """
        span = self.span_of(query)
        counts = await self.calls.call_log.call_counts(span, self.space)
        return {f"{at:{span.grain.form}}": CallCountView.of(one) for at, one in counts.items()}


class MessageFiguresEndpoint(ReportedMessagesEndpoint, _Figures):
    """Numbers of messages, and reports of messages."""

    path = "/api/statistics/messages"

    @endpoint(
        Access.ADMIN,
        scope=KeyScope.ACCOUNTS_READ,
        example=_MESSAGES,
        checks=lambda exchange, values: exchange.calls.call_log.span_faults(values),
    )
    async def get(self, query: SpanQuery) -> dict[str, MessageCountView]:
        """Count the messages by hour, day or month (UTC), at most 1000 of them.

        They are those with a party in a domain that the administrator sees.
        """
        span = self.span_of(query)
        counts = await self.calls.call_log.message_counts(span, self.space)
        return {f"{at:{span.grain.form}}": MessageCountView.of(one) for at, one in counts.items()}


class CallFiguresTableEndpoint(_Figures):
    """Numbers of calls as a table."""

    path = "/api/statistics/calls.csv"

    @endpoint(
        Access.ADMIN,
        scope=KeyScope.ACCOUNTS_READ,
        example="day,calls,answered,seconds\r\n2026-11-29,12,9,1840\r\n",
        checks=lambda exchange, values: exchange.calls.call_log.span_faults(values),
    )
    async def get(self, query: SpanQuery) -> Csv:
        """Count the calls as CSV."""
        span = self.span_of(query)
        counts = await self.calls.call_log.call_counts(span, self.space)
        rows = [
            (f"{at:{span.grain.form}}", str(one.calls), str(one.answered), str(one.seconds))
            for at, one in counts.items()
        ]
        return _table("calls", (span.grain, "calls", "answered", "seconds"), rows)


class MessageFiguresTableEndpoint(_Figures):
    """Numbers of messages as a table."""

    path = "/api/statistics/messages.csv"

    @endpoint(
        Access.ADMIN,
        scope=KeyScope.ACCOUNTS_READ,
        example="day,messages,delivered\r\n2026-11-29,40,38\r\n",
        checks=lambda exchange, values: exchange.calls.call_log.span_faults(values),
    )
    async def get(self, query: SpanQuery) -> Csv:
        """Count the messages as CSV."""
        span = self.span_of(query)
        counts = await self.calls.call_log.message_counts(span, self.space)
        rows = [(f"{at:{span.grain.form}}", str(one.messages), str(one.delivered)) for at, one in counts.items()]
        return _table("messages", (span.grain, "messages", "delivered"), rows)


def _table(name: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Csv:
    return Csv(csv_table(head, rows), [("Content-Disposition", f'attachment; filename="{name}.csv"')])
