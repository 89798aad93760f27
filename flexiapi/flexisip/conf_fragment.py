"""The fragment of `flexisip.conf` that a release of Flexisip needs for this server, with comments that explain it."""

import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from flexiapi.errors import ConfigurationError
from flexiapi.flexisip.conf_file import read_conf
from flexiapi.flexisip.doctor import flexisip_conf
from flexiapi.flexisip.releases import (
    DIVERSIONS,
    DOMAINS,
    EVENT_LOG,
    FIRST_WITH_BRIDGE,
    FIRST_WITH_CONNECTION,
    PUSHES,
    VOICEMAIL,
    Release,
)
from flexiapi.settings import Settings

PLACEHOLDER = "PUT-THE-KEY-HERE"
_PREFIX = "/api/statistics/"
_WIDTH = 100
_TLS = 443
_COLUMNS = (
    "username, domain AS hostport, domain, user_id, realm, secret, secret_type, alias_username, "
    "alias_domain AS alias_hostport, alias_domain, registrar, protocol, CASE WHEN outbound_proxy IS NOT NULL THEN "
    "'sip:' || outbound_proxy || ';transport=' || lower(protocol) END AS outbound_proxy"
)
INIT_QUERY = f"SELECT {_COLUMNS} FROM external_accounts"  # noqa: S608  # constants
"""The query by which Flexisip's bridge reads all accounts on other servers."""
UPDATE_QUERY = f"{INIT_QUERY} WHERE id = :identifier"
"""The query by which it reads the one that it was told of."""

_OUTGOING = {
    "to": "sip:{incoming.to.user}@{account.sipIdentity.hostport}{incoming.to.uriParameters}",
    "from": "{account.sipIdentity}",
}
_OF_KEY = "`flexiapi api-keys create --scope flexisip` makes the key."


class Extra(StrEnum):
    """A part that needs more than this server: commented out unless it is asked for."""

    OPENID = "openid"
    VOICEMAIL = "voicemail"
    PUSH = "push"
    BRIDGE = "bridge"


@dataclass(frozen=True, slots=True)
class Part:
    """Settings of a section with a comment; commented out if it is not on."""

    section: str
    comment: str
    values: tuple[tuple[str, str], ...]
    is_on: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """The address of this server, as Flexisip reaches it."""

    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The address for [global::flexiapi]."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}" + (f":{self.port}" if self.port != _TLS else "") + self.path


def place_of(settings: Settings) -> Place:
    """Return the address of this server; Flexisip needs TLS, whatever app.url has."""
    url = urlsplit(settings.app.url)
    port = url.port if url.port is not None and url.scheme == "https" else _TLS
    return Place(url.hostname or "localhost", port, url.path.rstrip("/"))


def fragment(
    settings: Settings, release: Release, key: str = PLACEHOLDER, extras: frozenset[Extra] = frozenset()
) -> str:
    """Return the fragment for a release. Sections appear once each; a key that is not given has a placeholder."""
    sections: dict[str, list[Part]] = {}
    for part in _parts(settings, release, key, extras):
        sections.setdefault(part.section, []).append(part)
    head = f"For Flexisip {release}, by `flexiapi sip config`. Copy each setting into its section of flexisip.conf."
    texts = [_comment(head)]
    texts += [f"[{name}]\n" + "\n".join(map(_written, parts)) for name, parts in sections.items()]
    return "\n".join(texts)


def _parts(settings: Settings, release: Release, key: str, extras: frozenset[Extra]) -> Iterator[Part]:
    place = place_of(settings)
    if release >= FIRST_WITH_CONNECTION:
        yield _connection(settings, place, key)
    yield from _sign_in(settings)
    if release >= EVENT_LOG.since:
        yield _event_log(place, release, key)
    if release >= DIVERSIONS.since:
        yield from _diversions()
    if release >= DOMAINS.since:
        yield _domains(place, release, key, is_on=Extra.OPENID in extras)
    if release >= PUSHES.since:
        yield _pushes(is_on=bool(settings.push) or Extra.PUSH in extras)
    if release >= VOICEMAIL.since:
        yield from _voicemail(is_on=Extra.VOICEMAIL in extras)
    if release >= FIRST_WITH_BRIDGE and settings.flexisip.auth_replica is not None:
        yield from _bridge(is_on=Extra.BRIDGE in extras)


def _sign_in(settings: Settings) -> Iterator[Part]:
    sections: dict[str, list[tuple[str, str]]] = {}
    for entry in read_conf(flexisip_conf(settings)).settings.values():
        sections.setdefault(entry.section, []).append((entry.key, entry.value))
    for section, values in sections.items():
        yield Part(section, "Phones sign in with the passwords of this server.", tuple(values))


def _connection(settings: Settings, place: Place, key: str) -> Part:
    comment = (
        "One address and one key for all calls. Flexisip speaks HTTP/2 over TLS alone, so the address is that of the "
        f"front server. {_OF_KEY}"
    )
    if urlsplit(settings.app.url).scheme != "https":
        comment += " app.url of this server is without TLS: Flexisip does not start with an address that has http."
    if place.path:
        comment += f" Flexisip puts {place.path} before the path of every call, also before that of uploads."
    return Part("global::flexiapi", comment, (("url", place.url), ("api-key", key)))


def _event_log(place: Place, release: Release, key: str) -> Part:
    comment = "Calls and messages are reported here. Flexisip's default prefix, /api/stats/, is served as well."
    switches = (("enabled", "true"), ("logger", "flexiapi"))
    if release >= FIRST_WITH_CONNECTION:
        comment += " flexiapi-host has to be here, and empty: its default, localhost, overrides [global::flexiapi]."
        return Part("event-logs", comment, (*switches, ("flexiapi-host", ""), ("flexiapi-prefix", _PREFIX)))
    comment += f" {_OF_KEY}"
    of_key = "flexiapi-token" if release < Release(2, 4) else "flexiapi-api-key"
    if release == Release(2, 4):
        comment += " A 2.4 that does not know flexiapi-api-key calls it flexiapi-token, as 2.3 does."
    address = (("flexiapi-host", place.host), ("flexiapi-port", str(place.port)))
    return Part("event-logs", comment, (*switches, *address, ("flexiapi-prefix", place.path + _PREFIX), (of_key, key)))


def _diversions() -> Iterator[Part]:
    comment = "People's call forwarding: asked for before each call, and remembered for 30 seconds."
    yield Part("global", comment, (("advanced-account-data", "flexiapi"),))
    values = (("enable-call-diversions", "true"), ("max-call-diversions", "10"))
    yield Part("module::Router", "Acts on the rules that [global] advanced-account-data fetches.", values)


def _domains(place: Place, release: Release, key: str, *, is_on: bool) -> Part:
    comment = (
        "The domains of this server, fetched every 5 minutes; other domains are refused. Only with "
        "[module::AuthOpenIDConnect] and without [module::Authentication]: Authorization accepts no DIGEST, so "
        "switched on beside it, it refuses every request. Otherwise auth-domains of Authentication has the domains."
    )
    values: tuple[tuple[str, str], ...] = (("enabled", "true"), ("auth-domains-mode", "flexiapi"))
    if release < FIRST_WITH_CONNECTION:
        address = (("account-manager-host", place.host), ("account-manager-port", str(place.port)))
        values = (("enabled", "true"), *address, ("account-manager-api-key", key))
        if place.path:
            comment += f" This Flexisip cannot ask below a path: let the front server serve /api without {place.path}."
    if release > FIRST_WITH_CONNECTION:
        comment += " Late builds of 2.7 replace it by domains-configuration."
    return Part("module::Authorization", comment, values, is_on)


def _pushes(*, is_on: bool) -> Part:
    comment = (
        "Phones are woken by the push backends of this server ([push.*] in flexiapi.toml) in place of Flexisip's own."
    )
    return Part("module::PushNotification", comment, (("external-push-flexiapi", "true"),), is_on)


def _voicemail(*, is_on: bool) -> Iterator[Part]:
    uri = "sip:127.0.0.1:6066;transport=tcp"
    comment = (
        "Calls that are not answered go to the voicemail server: a process of its own (flexisip-voicemail), which has "
        "to run. "
        "A rule that always forwards to voicemail is beyond this release, which ends such calls with 482."
    )
    codes = ("forwarding-status-codes", "408 486 603")
    yield Part("module::Router", comment, (("voicemail-server", uri), codes), is_on)
    comment = (
        "Flexisip records nothing unless 104,857 bytes for each second of max-voicemail-duration fit into the upload "
        "limit of this server."
    )
    yield Part("voicemail-server", comment, (("transport", uri), ("max-voicemail-duration", "120s")), is_on)


def _bridge(*, is_on: bool) -> Iterator[Part]:
    comment = (
        "Calls through people's accounts on other servers (/api/accounts/{id}/external): by the B2BUA server, a "
        "process of its own, which hears of changes through the Redis of [module::Registrar]. `flexiapi sip config "
        "--providers` prints a beginning of the file of providers."
    )
    yield Part("b2bua-server", comment, (("application", "sip-bridge"),), is_on)
    providers = (("providers", "/etc/flexisip/providers.json"),)
    yield Part("b2bua-server::sip-bridge", "Readable for Flexisip's user.", providers, is_on)


def providers(settings: Settings) -> str:
    """Return the file of providers of Flexisip's bridge, in JSON, with the queries on the replica of this server.

    Raises `ConfigurationError` without a replica.
    """
    replica = settings.flexisip.auth_replica
    if replica is None:
        raise ConfigurationError("The bridge reads the sign-in replica: set flexisip.auth_replica.")
    loader = {
        "dbBackend": "sqlite3",
        "connection": f"dbname={replica.absolute()} timeout=5 readonly=true",
        "initQuery": INIT_QUERY,
        "updateQuery": UPDATE_QUERY,
        "threadPoolSize": 2,
    }
    pool = {"outboundProxy": "", "registrationRequired": True, "maxCallsPerLine": 10, "loader": loader}
    incoming, outgoing = (
        {
            "name": name,
            "accountPool": "flexiapi",
            "triggerCondition": {"strategy": "Always"},
            "accountToUse": {"strategy": "FindInPool", "by": by, "source": source},
            "onAccountNotFound": "nextProvider",
            "outgoingInvite": invite,
        }
        for name, by, source, invite in (
            ("calls from other servers", "uri", "{to}", {"to": "{account.alias}", "outboundProxy": "sip:127.0.0.1"}),
            ("calls to other servers", "alias", "{from}", _OUTGOING),
        )
    )
    file = {"schemaVersion": 2, "providers": [incoming, outgoing], "accountPools": {"flexiapi": pool}}
    return json.dumps(file, indent=2) + "\n"


def _written(part: Part) -> str:
    mark = "" if part.is_on else "#"
    return _comment(part.comment) + "".join(f"{mark}{key}={value}\n" for key, value in part.values)


def _comment(text: str) -> str:
    lines = textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines)
