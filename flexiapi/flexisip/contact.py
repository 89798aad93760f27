"""Contacts of Flexisip's registrar: a SIP Contact with metadata in the parameters and headers of its URI.

For example `<sip:alice@192.0.2.10;callid=x;expires=60;updatedAt=1721000000;alias=no?user-agent=y>;+sip.instance="<z>"`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

from flexiapi.model import Device, PushAddress, push_address_of
from flexiapi.sip_address import HOST, QUOTED, NameAddr

_PARAMETER = re.compile(rf';\s*([^;="\s]+)\s*(?:=\s*({QUOTED}|[^;"]*))?', re.DOTALL)
_HOST = re.compile(rf"sips?:(?:[^@;]*@)?({HOST})", re.IGNORECASE)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
# Ten digits reach the year 2286; `datetime` cannot hold times with many more.
_SECONDS = re.compile(r"[0-9]{1,10}")
_PUSH = ("pn-provider", "pn-param", "pn-prid")
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Contact:
    """A binding. `expires_at` is `None` if the contact has no expiry, `push` if it does not say how to wake it."""

    unique_id: str
    instance_id: str | None
    user_agent: str
    updated_at: datetime
    expires_at: datetime | None
    alias: bool
    host: str = ""
    push: PushAddress | None = None

    @property
    def uuid(self) -> str:
        """The identifier of the device: its instance id or the binding's unique id, without quotes and brackets."""
        return bare_id(self.instance_id or self.unique_id)

    def is_device(self, now: datetime) -> bool:
        """Return whether this is a device: no alias, and not expired (Flexisip keeps expired contacts)."""
        return not self.alias and (self.expires_at is None or self.expires_at > now)

    @property
    def device(self) -> Device:
        """The device that registered the contact."""
        return Device(self.uuid, self.user_agent, self.updated_at, self.expires_at, self.host, self.push)


def parse_contact(unique_id: str, value: str) -> Contact:
    """Parse a field of a registrar's record. Values that are missing or malformed are left out; nothing is raised."""
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
        host=host[1] if (host := _HOST.match(left)) else "",
        push=push_address_of(*(of_uri.get(name, "") for name in _PUSH)),
    )


def bare_id(identifier: str) -> str:
    """Return an instance id without the quotes and angle brackets that it has in SIP."""
    unquoted = identifier.strip().strip('"')
    inner = unquoted.removeprefix("<").removesuffix(">")
    return inner or identifier


def _uri_and_tail(value: str) -> tuple[str, str]:
    """Return the URI and the Contact parameters. Old records hold a bare URI, where the two cannot be told apart."""
    parts = NameAddr.split(value)
    return (value, "") if parts is None else (parts.uri, parts.tail or "")


def _split_headers(uri: str) -> tuple[str, dict[str, str]]:
    """Return the URI up to its `?`, and the headers after it. The user part may contain a `?` too."""
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
