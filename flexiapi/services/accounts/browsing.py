"""Accounts in an order of one's choice, page by page, as administrators browse them.

A cursor names the place where a page begins or ends: the order, the value that sorts, and an id, in base64. It is
validated like any other text, and is no secret: it holds what the page before showed.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flexiapi.model import (
    Account,
    AccountOrder,
    AccountPlace,
    AccountSelection,
    AccountsTotal,
    SortKey,
    Space,
)
from flexiapi.services.ground import Ground
from flexiapi.store import MatchingAccounts

ACCOUNTS_AT_ONCE = 20
MOST_EXPORTED = 10_000
LAST = "end"
"""The cursor behind all accounts."""

_LONGEST_CURSOR = 200
_LONGEST_VALUE = 64
_HIGHEST_ID = 2**53
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MILLISECOND = 253_402_300_799_999
_EXPORTED_AT_ONCE = 500


class CursorInvalid(Exception):
    """The cursor is none of this order of accounts."""


@dataclass(frozen=True, slots=True)
class BrowsedAccounts:
    """A page of accounts. `previous` and `following` are the cursors of its neighbours, `None` where there is none.

    `is_incomplete` if a search was cut short.
    """

    accounts: Sequence[Account]
    total: AccountsTotal
    previous: str | None = None
    following: str | None = None
    is_incomplete: bool = False


class AccountBrowsing:
    """Pages of the accounts that administrators of a space see."""

    def __init__(self, ground: Ground) -> None:
        self._pages = ground.store.account_pages

    async def page(
        self,
        wanted: AccountSelection,
        order: AccountOrder,
        space: Space,
        *,
        after: str | None = None,
        before: str | None = None,
    ) -> BrowsedAccounts:
        """Return the accounts after or before a cursor, by default the first ones. Raises `CursorInvalid`.

        With `before` they are those that directly precede it; `LAST` leads to the last ones.
        """
        matching = await self._matching(wanted, space)
        if matching is None:
            return BrowsedAccounts((), AccountsTotal(0))
        cursor = after if before is None else before
        place = None if cursor is None or (cursor == LAST and before is not None) else place_of(cursor, order)
        found = await self._pages.page(matching, order, place, ACCOUNTS_AT_ONCE, backwards=before is not None)
        if before is not None and not found.accounts:
            # All that came before are gone, so the first page is what precedes.
            found = await self._pages.page(matching, order, None, ACCOUNTS_AT_ONCE)
        total = await self._pages.total(matching)
        previous = following = None
        if found.accounts:
            previous = cursor_of(found.accounts[0], order) if found.has_before else None
            following = cursor_of(found.accounts[-1], order) if found.has_after else None
        elif found.has_before:
            previous = LAST
        return BrowsedAccounts(found.accounts, total, previous, following, matching.is_incomplete)

    async def total(self, wanted: AccountSelection, space: Space) -> AccountsTotal:
        """Return how many accounts match, of those that administrators of the space see."""
        matching = await self._matching(wanted, space)
        return AccountsTotal(0) if matching is None else await self._pages.total(matching)

    async def _matching(self, wanted: AccountSelection, space: Space) -> MatchingAccounts | None:
        """Return the selection within what administrators of the space see, `None` for a domain of another one."""
        if wanted.domain is None:
            wanted = replace(wanted, domain=space.reach.only)
        elif not space.reach.has(wanted.domain):
            return None
        return await self._pages.matching(wanted)

    async def first(self, wanted: AccountSelection, order: AccountOrder, space: Space) -> AsyncIterator[Account]:
        """Yield the first accounts of an order, at most `MOST_EXPORTED`."""
        matching = await self._matching(wanted, space)
        place, left = None, MOST_EXPORTED
        while matching is not None and left:
            found = await self._pages.page(matching, order, place, min(left, _EXPORTED_AT_ONCE))
            for account in found.accounts:
                yield account
            if not found.has_after or not found.accounts:
                return
            left -= len(found.accounts)
            place = order.place_of(found.accounts[-1])


def cursor_of(account: Account, order: AccountOrder) -> str:
    """Return the cursor of an account in an order."""
    place = order.place_of(account)
    value = place.value
    if isinstance(value, datetime):
        value = (value - _EPOCH) // timedelta(milliseconds=1)
    text = json.dumps([order.key, value, place.id], separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(cursor: str, order: AccountOrder) -> AccountPlace:
    """Return the place that a cursor stands for. Raises `CursorInvalid`, also for one of another order."""
    if len(cursor) > _LONGEST_CURSOR:
        raise CursorInvalid
    try:
        text = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        key, value, account_id = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise CursorInvalid from error
    if key != order.key or not _is_number(account_id, _HIGHEST_ID):
        raise CursorInvalid
    if order.key is SortKey.USERNAME:
        if not isinstance(value, str) or len(value) > _LONGEST_VALUE or not value.isprintable():
            raise CursorInvalid
        return AccountPlace(value, account_id)
    if not _is_number(value, _HIGHEST_ID if order.key is SortKey.ID else _LAST_MILLISECOND):
        raise CursorInvalid
    moment = value if order.key is SortKey.ID else _EPOCH + timedelta(milliseconds=value)
    return AccountPlace(moment, account_id)


def _is_number(value: Any, highest: int) -> bool:
    return type(value) is int and 0 <= value <= highest
