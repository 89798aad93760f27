"""Canonical identities of push devices: the one spelling of an address that has many."""

import re
from urllib.parse import unquote

import httpx

from flexiapi.plugin.messages import PushMessage
from flexiapi.plugin.outcomes import Permanent

_PORTS = {"http": 80, "https": 443}
_ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")


def usual_identity(message: PushMessage) -> str:
    """Return the identity of the device by the rules of APNs, FCM and UnifiedPush; of others all three parameters.

    Raises `Permanent` for an address that cannot be one of that provider.
    """
    if message.provider in ("apns", "apns.dev"):
        return _remote_token(message.prid).lower()
    if message.provider == "fcm":
        return message.prid
    if message.provider in ("unifiedpush", "ntfy"):
        return normalised_url(message.prid)
    return f"{message.provider}\x1f{message.param}\x1f{message.prid}"


def _remote_token(prid: str) -> str:
    """Return the token for remote notifications of `<token>[:<service>][&...]`; a single token needs no service."""
    by_service = {service: token for token, _, service in (part.partition(":") for part in prid.split("&"))}
    return by_service.get("remote") or next(iter(by_service.values()))


def normalised_url(text: str) -> str:
    """Return a URL in the one spelling of RFC 3986, section 6.2.2: scheme, host, port and percent-encoding.

    Raises `Permanent` if it is none.
    """
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError):
        raise Permanent("pn_prid is not a URL") from None
    target = _ESCAPED.sub(_plain, url.raw_path.decode("ascii"))
    port = "" if url.port in (None, _PORTS.get(url.scheme)) else f":{url.port}"
    return f"{url.scheme}://{url.raw_host.decode('ascii').lower().rstrip('.')}{port}{target}"


def _plain(escaped: re.Match[str]) -> str:
    character = unquote(escaped[0], errors="replace")
    return character if _UNRESERVED.fullmatch(character) else escaped[0].upper()
