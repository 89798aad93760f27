"""Reads contacts as Flexisip's registrar encodes them: a SIP Contact with metadata in the URI's parameters and headers.

For example `<sip:alice@192.0.2.10;callid=x;expires=60;updatedAt=1721000000;alias=no?user-agent=y>;+sip.instance="<z>"`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

from flexiapi.model import Device

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_BEFORE_BRACKET = re.compile(rf'(?:{_QUOTED}|[^"<])*')
_PARAMETER = re.compile(rf';\s*([^;="\s]+)\s*(?:=\s*({_QUOTED}|[^;"]*))?', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
# Ten digits reach the year 2286; more are no time that a calendar could hold.
_SECONDS = re.compile(r"[0-9]{1,10}")
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Contact:
    """One binding. `expires_at` is None when the contact does not say when it ends."""

    unique_id: str
    instance_id: str | None
    user_agent: str
    updated_at: datetime
    expires_at: datetime | None
    alias: bool

    @property
    def uuid(self) -> str:
        """What names the device: its instance id, else the binding's unique id, without quotes and brackets."""
        return bare_id(self.instance_id or self.unique_id)

    def is_device(self, now: datetime) -> bool:
        """Whether a device stands behind it: not an alias, and not ended (Flexisip leaves ended ones lying about)."""
        return not self.alias and (self.expires_at is None or self.expires_at > now)

    @property
    def device(self) -> Device:
        """The device behind it."""
        return Device(self.uuid, self.user_agent, self.updated_at)


def parse_contact(unique_id: str, value: str) -> Contact:
    """Read one field of a registrar's record. Never fails: what is missing or odd is left out."""
    uri, tail = _uri_and_tail(value)
    left, headers = _split_headers(uri)
    of_uri = {name: unquote(text) for name, text in _parameters(left)}
    of_contact = dict(_parameters(tail))
    both = of_uri | of_contact
    updated_at = _moment(of_uri.get("updatedat"))
    lifetimes = [_seconds(both.get("expires")), _seconds(both.get("message-expires"))]
    known = [lifetime for lifetime in lifetimes if lifetime is not None]
    return Contact(
        unique_id=unique_id,
        instance_id=both.get("+sip.instance") or None,
        user_agent=headers.get("user-agent", ""),
        updated_at=updated_at or _EPOCH,
        expires_at=_later(updated_at, max(known)) if updated_at and known else None,
        alias=of_uri.get("alias", "").lower() == "yes",
    )


def bare_id(identifier: str) -> str:
    """An instance id without the quotes and angle brackets that it carries in SIP."""
    unquoted = identifier.strip().strip('"')
    inner = unquoted.removeprefix("<").removesuffix(">")
    return inner or identifier


def _uri_and_tail(value: str) -> tuple[str, str]:
    """The URI, and the Contact parameters. Old records hold a bare URI, where nothing tells the two apart."""
    before = _BEFORE_BRACKET.match(value)
    start = before.end() if before else 0
    if start >= len(value) or value[start] != "<":
        return value, ""
    uri, _, tail = value[start + 1 :].partition(">")
    return uri, tail


def _split_headers(uri: str) -> tuple[str, dict[str, str]]:
    """What stands before the `?`, and the headers after it. A user part may hold a `?` of its own."""
    mark = uri.find("?", uri.find("@") + 1)
    if mark < 0:
        mark = uri.find("?")
    if mark < 0:
        return uri, {}
    pairs = (pair.partition("=") for pair in uri[mark + 1 :].split("&"))
    return uri[:mark], {unquote(name).lower(): unquote(text) for name, _, text in pairs}


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    for match in _PARAMETER.finditer(text):
        name, value = match[1].lower(), (match[2] or "").strip()
        if value.startswith('"'):
            value = _ESCAPED.sub(r"\1", value[1:-1])
        yield name, value


def _seconds(text: str | None) -> int | None:
    return int(text) if text and _SECONDS.fullmatch(text) else None


def _moment(text: str | None) -> datetime | None:
    seconds = _seconds(text)
    return None if seconds is None else _later(_EPOCH, seconds)


def _later(moment: datetime, seconds: int) -> datetime:
    return moment + timedelta(seconds=seconds)
