"""Fetches of provisioning links, as administrators look at them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

FetchOutcome = Literal["given", "spent", "expired", "deactivated", "blocked", "replaced"]
"""The answer to a fetch: the account, or the base configuration alone because of this."""


@dataclass(frozen=True, slots=True)
class NotedFetch:
    """A fetch of a link of an account, by a program at an IP address."""

    fetched_at: datetime
    outcome: FetchOutcome
    address: str
    user_agent: str
