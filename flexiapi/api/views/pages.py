"""Pages of lists, in the format that clients of the API know."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol
from urllib.parse import urlencode

from pydantic import Field

from flexiapi.api.views.accounts import ListedAccount
from flexiapi.api.views.calls import CallView
from flexiapi.services.accounts import PAGE_SIZE, AccountListing
from flexiapi.services.calls import CALLS_A_PAGE, CallPage

_ALL_SHOWN = 14
_NEAR_AN_END = 7
_BESIDE = 3


@dataclass(kw_only=True)
class Link:
    """A link to another page; a gap has no `url`."""

    url: str | None
    label: str
    active: bool


class Numbered(Protocol):
    """A page of a list by its number, from 1 on."""

    @property
    def number(self) -> int:
        """Number of the page."""

    @property
    def last(self) -> int:
        """Number of the last page."""

    @property
    def total(self) -> int:
        """Number of all records."""


@dataclass(kw_only=True)
class _Page:
    """Records of one page, with links to the others."""

    current_page: int
    data: Sequence[Any]
    first_page_url: str
    first: Annotated[int | None, Field(serialization_alias="from")]
    last_page: int
    last_page_url: str
    links: list[Link]
    next_page_url: str | None
    path: str
    per_page: int
    prev_page_url: str | None
    to: int | None
    total: int


@dataclass(kw_only=True)
class AccountsPage(_Page):
    """Accounts of one page, with links to the others."""

    data: Sequence[ListedAccount]
    search_incomplete: Annotated[bool, Field(description="a search ended before it had found all accounts")]

    @classmethod
    def of(
        cls,
        page: AccountListing,
        accounts: Sequence[ListedAccount],
        path: str,
        filters: Mapping[str, str] | None = None,
    ) -> "AccountsPage":
        """Return the view of a page; `path` is the URL without a query, `filters` are those of the other pages too."""
        values = _values(page, len(accounts), PAGE_SIZE, path, filters)
        return cls(data=accounts, search_incomplete=page.is_incomplete, **values)


@dataclass(kw_only=True)
class CallsPage(_Page):
    """Calls of one page, with links to the others."""

    data: Sequence[CallView]

    @classmethod
    def of(cls, page: CallPage, calls: Sequence[CallView], path: str) -> "CallsPage":
        """Return the view of a page; `path` is the URL without a query."""
        return cls(data=calls, **_values(page, len(calls), CALLS_A_PAGE, path))


def _values(
    page: Numbered, count: int, size: int, root: str, filters: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return what is alike on pages of all lists; `count` is the number of records on this page."""
    path = f"{root}?{urlencode({**(filters or {}), 'page': ''})}"
    first = (page.number - 1) * size + 1 if count else None
    before = _url(path, page.number - 1) if page.number > 1 else None
    after = _url(path, page.number + 1) if page.number < page.last else None
    return {
        "current_page": page.number,
        "first_page_url": _url(path, 1),
        "first": first,
        "last_page": page.last,
        "last_page_url": _url(path, page.last),
        "links": [
            Link(url=before, label="&laquo; Previous", active=False),
            *_links(page, path),
            Link(url=after, label="Next &raquo;", active=False),
        ],
        "next_page_url": after,
        "path": root,
        "per_page": size,
        "prev_page_url": before,
        "to": None if first is None else first + count - 1,
        "total": page.total,
    }


def _links(page: Numbered, path: str) -> Iterable[Link]:
    previous = 0
    for number in _window(page.number, page.last):
        if number != previous + 1:
            yield Link(url=None, label="...", active=False)
        yield Link(url=_url(path, number), label=str(number), active=number == page.number)
        previous = number


def _window(current: int, last: int) -> list[int]:
    """Return the numbers of the pages that are linked: around the current one, and two at each end."""
    if last < _ALL_SHOWN:
        return list(range(1, last + 1))
    if current <= _NEAR_AN_END:
        return [*range(1, _NEAR_AN_END + _BESIDE + 1), last - 1, last]
    if current > last - _NEAR_AN_END:
        return [1, 2, *range(last - _NEAR_AN_END - _BESIDE + 1, last + 1)]
    return [1, 2, *range(current - _BESIDE, current + _BESIDE + 1), last - 1, last]


def _url(path: str, number: int) -> str:
    return f"{path}{number}"
