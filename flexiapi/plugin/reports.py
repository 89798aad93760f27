"""Delivery reports: what a provider tells later about a message that it accepted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl

ReportedStatus = Literal["underway", "delivered", "failed"]


@dataclass(frozen=True, slots=True)
class Callback:
    """A request to `/callbacks/LABEL`, by POST or GET, of which nothing is proven; header names are in lower case."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: str = field(default="", repr=False)

    def form(self) -> dict[str, str]:
        """Parse the body as `application/x-www-form-urlencoded`."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self) -> Any:
        """Parse the body as JSON. Raises `ValueError`."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """The state of a message; `id` is that of its `Receipt`.

    `reason` is logged: a code or name of the provider's, never the content or recipient of the message.
    """

    status: ReportedStatus
    id: str | None = None
    reason: str | None = None


class Unverified(Exception):  # named like the other failures that a backend may raise
    """The request is not proven to be the provider's."""
