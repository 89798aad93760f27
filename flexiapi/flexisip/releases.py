"""Releases of Flexisip, the calls that each makes to this server, and the settings that switch them on."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from flexiapi.errors import ConfigurationError
from flexiapi.model import KeyScope

_NUMBER = re.compile(r"v?(?P<major>[0-9]{1,2})\.(?P<minor>[0-9]{1,3})(?:[.\-+ ].*)?")


class Release(NamedTuple):
    """A release of Flexisip, without its last number: 2.6 is also 2.6.1 and 2.6.0-beta."""

    major: int
    minor: int

    def __str__(self) -> str:
        """Return `2.6`."""
        return f"{self.major}.{self.minor}"


RELEASES = tuple(Release(2, minor) for minor in range(2, 8))
"""The releases whose settings are known."""

FIRST_WITH_EVENT_LOG, FIRST_WITH_BRIDGE = Release(2, 3), Release(2, 4)
FIRST_WITH_DOMAINS = Release(2, 5)
FIRST_WITH_CONNECTION = Release(2, 6)
"""The first release with [global::flexiapi], one address and one key for all calls."""


Switches = tuple[str, ...]
"""Settings that a call needs, as Flexisip names them: `section/key` or `section/key=value`."""


@dataclass(frozen=True, slots=True)
class FlexisipCall:
    """A call of Flexisip to this server, and the scope of an API key that opens it.

    `switches` are the settings that it needs, from each of these releases on.
    """

    name: str
    requests: str
    scope: KeyScope
    switches: tuple[tuple[Release, Switches], ...]

    @property
    def since(self) -> Release:
        """The first release that makes the call."""
        return self.switches[0][0]

    def switches_of(self, release: Release) -> Switches:
        """Return what the call needs in a release, empty if that does not make it."""
        known = [switches for since, switches in self.switches if since <= release]
        return known[-1] if known else ()


_LOGGER = "event-logs/logger=flexiapi"
_HOST = "event-logs/flexiapi-host"
_URL = "global::flexiapi/url"

EVENT_LOG = FlexisipCall(
    "event log",
    "POST, PATCH /api/statistics/messages..., /api/statistics/calls...",
    KeyScope.STATISTICS_WRITE,
    (
        (FIRST_WITH_EVENT_LOG, (_LOGGER, _HOST, "event-logs/flexiapi-token")),
        (Release(2, 4), (_LOGGER, _HOST, "event-logs/flexiapi-api-key")),
        (FIRST_WITH_CONNECTION, (_LOGGER, f"{_HOST}=", _URL)),
    ),
)
DOMAINS = FlexisipCall(
    "domains",
    "GET /api/spaces",
    KeyScope.FLEXISIP,
    (
        (
            FIRST_WITH_DOMAINS,
            ("module::Authorization/account-manager-host", "module::Authorization/account-manager-api-key"),
        ),
        (FIRST_WITH_CONNECTION, ("module::Authorization/auth-domains-mode=flexiapi", _URL)),
    ),
)
DIVERSIONS = FlexisipCall(
    "call forwarding",
    "GET /api/resolve/{sip}, GET /api/accounts/{sip}/search",
    KeyScope.FLEXISIP,
    (
        (
            FIRST_WITH_CONNECTION,
            ("global/advanced-account-data=flexiapi", "module::Router/enable-call-diversions=true", _URL),
        ),
    ),
)
PUSHES = FlexisipCall(
    "push notifications",
    "POST /api/push_notification",
    KeyScope.PUSH,
    ((FIRST_WITH_CONNECTION, ("module::PushNotification/external-push-flexiapi=true", _URL)),),
)
VOICEMAIL = FlexisipCall(
    "voicemail",
    "GET /api/accounts/{sip}/search, POST /api/accounts/{id}/voicemails, POST /api/files/...",
    KeyScope.FLEXISIP,
    ((FIRST_WITH_CONNECTION, ("module::Router/voicemail-server", "voicemail-server/transport", _URL)),),
)
CALLS = (EVENT_LOG, DOMAINS, DIVERSIONS, PUSHES, VOICEMAIL)
"""All calls, in the order of their appearance."""


def release_of(text: str) -> Release:
    """Read `2.6`, `2.6.1` or `2.7.0-alpha`. Raises `ConfigurationError`."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        known = ", ".join(map(str, RELEASES))
        raise ConfigurationError(f"{text} is not a version of Flexisip; name one such as {known}.")
    return Release(int(match["major"]), int(match["minor"]))
