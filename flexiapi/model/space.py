"""Spaces: what may differ by domain. Made once, from the settings; a request only looks its space up."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit, urlunsplit

from flexiapi.errors import ConfigurationError
from flexiapi.settings import Settings
from flexiapi.settings.delivery import OF_MAIL_BACKENDS
from flexiapi.settings.spaces import OVERRIDABLE, field_of

_PLAIN = (
    "url",
    "name",
    "language",
    "sms_sender",
    "hue",
    "logo",
    "realm",
    "phone_countries",
    "registration",
    "panel_registration",
    "quota",
    "provisioning_rc_file",
    "provisioning_overwrite_all",
)

_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_PORT = re.compile(r":[0-9]*$")

Registration = Literal["open", "invited", "closed"]


@dataclass(frozen=True, slots=True)
class Scope:
    """The domains whose accounts are visible: `only` one, or all but some."""

    only: str | None = None
    but: frozenset[str] = frozenset()

    def has(self, domain: str) -> bool:
        """Return whether the domain is one of them."""
        return domain not in self.but if self.only is None else domain == self.only


EVERYWHERE = Scope()
"""All domains: for the server itself, its commands, and the keys that these make for a SIP server."""


@dataclass(frozen=True, slots=True)
class NamePolicy:
    """The rules of user names and passwords.

    `blacklist` has names, or regular expressions of names. `public_domains` are those in which the public may create
    accounts.
    """

    username_regex: re.Pattern[str]
    username_min_length: int
    password_min_length: int
    refuses_common_passwords: bool
    blacklist: tuple[str, ...]
    public_domains: frozenset[str]

    @property
    def shortest(self) -> dict[str, int]:
        """The least lengths, by the name of their setting."""
        return {"username_min_length": self.username_min_length, "password_min_length": self.password_min_length}


@dataclass(frozen=True, slots=True)
class MailTexts:
    """The sender and the texts of mails.

    What is `None` of `from_address`, `from_name`, `reply_to` and `bounce_address` is that of the mail backend.
    """

    from_address: str | None
    from_name: str | None
    reply_to: str | None
    bounce_address: str | None
    signature: str
    proxy_registrar_address: str | None
    transport_protocol_text: str
    confirmed_text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """A domain with its settings. The default space has all domains that have no table of their own.

    Attributes:
        domain: its SIP domain, and that of phone aliases.
        stored: its name in documents: the domain, `None` for the default space, whose documents have no such field.
        suffix: end of its `tel:` and `mailto:` identifiers, so that a number or an address of one space says nothing
            about another; empty for the default space.
        host: host name of its requests, in lower-case ASCII, without port and final dot; `None` for the default space,
            which has every other host too.
        url: public root of every URL that is handed out.
        name: name in mails, texts and pages.
        language: language of its texts, as in `en`.
        sms_sender: sender of its SMS, `None` for the one of the backend.
        hue: hue of the panel's colours, in degrees.
        logo: picture beside its name in the panel, if there is one.
        realm: DIGEST realm; `None` for that of each account's domain.
        panel_registration: who may register on the pages of the panel.
        phone_countries: countries whose numbers accounts may get; none named is all.
        quota: most accounts; 0 for any number.
        ui: entries of the section `ui` of provisioning.
        scope: domains whose accounts belong to it.
        reach: domains that its administrators see.
        may_name_domains: whether its administrators may name any domain.
    """

    domain: str
    stored: str | None = None
    suffix: str = ""
    host: str | None = None
    url: str
    name: str
    language: str
    sms_sender: str | None
    hue: int = 215
    logo: Path | None = None
    realm: str | None
    phone_countries: tuple[str, ...] = ()
    registration: Registration
    panel_registration: Registration
    quota: int
    provisioning_rc_file: Path | None
    provisioning_overwrite_all: bool
    ui: tuple[tuple[str, str], ...] = ()
    names: NamePolicy
    mail: MailTexts
    scope: Scope
    reach: Scope
    may_name_domains: bool = False

    @property
    def proxy_registrar_address(self) -> str | None:
        """The SIP server of its accounts, as mails name it; `None` for their domain."""
        return self.mail.proxy_registrar_address

    @property
    def transport_protocol_text(self) -> str:
        """The transports of that server, as mails name them."""
        return self.mail.transport_protocol_text

    @property
    def table(self) -> str:
        """Its table in the settings, for messages to operators."""
        return "[app] and [account]" if self.stored is None else f'[spaces."{self.stored}"]'


@dataclass(frozen=True)
class Spaces:
    """All spaces. `by_domain` and `by_host` have those with a table; every other domain and host is the default's."""

    default: Space
    by_domain: Mapping[str, Space] = field(default_factory=dict)

    @cached_property
    def by_host(self) -> Mapping[str, Space]:
        """The spaces with a table, by host name."""
        return {space.host: space for space in self.by_domain.values() if space.host is not None}

    def __iter__(self) -> Iterator[Space]:
        """Iterate over all spaces, the default one first."""
        return iter((self.default, *self.by_domain.values()))

    def of_domain(self, domain: str) -> Space:
        """Return the space that the accounts of a domain belong to."""
        return self.by_domain.get(domain, self.default)

    def realm_of(self, domain: str) -> str | None:
        """Return the DIGEST realm of the accounts of a domain, `None` for the domain itself."""
        return self.of_domain(domain).realm

    def of_host(self, host: str) -> Space:
        """Return the space of the requests to a host name in lower case."""
        return self.by_host.get(host, self.default)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Make the spaces that the settings describe. Raises `ConfigurationError` naming a wrong table and key."""
        tables, app, account = settings.spaces, settings.app, settings.account
        if app.sip_domain in tables:
            raise ConfigurationError(
                f'[spaces."{app.sip_domain}"]: this is app.sip_domain, the default space, which [app] and [account] '
                "describe. Move the settings there."
            )
        others = frozenset(tables)
        public = frozenset({app.sip_domain, *map(str.lower, account.public_domains)}) - others
        reach = Scope() if app.admins_manage_multi_domains else Scope(app.sip_domain)
        default = Space(
            domain=app.sip_domain,
            scope=Scope(but=others),
            reach=reach,
            may_name_domains=app.admins_manage_multi_domains,
            **_described(settings, {}, public),
        )
        spaces = {domain: _of_table(settings, domain) for domain in tables}
        _refuse_same_hosts(default, spaces.values())
        return cls(default, spaces)


def _of_table(settings: Settings, domain: str) -> Space:
    table = settings.spaces[domain]
    values = dict(table.overrides)
    key = "url" if values.get("url") and not table.host else "host"
    named = table.host or _host_of_url(values.get("url")) or domain
    host = _host_name(named)
    if host is None:
        raise ConfigurationError(
            f'[spaces."{domain}"] {key}: "{named}" is no host name that a request can have. '
            "Write it without scheme and port, as in accounts.b.example.org."
        )
    if not values.get("url"):
        values["url"] = _at_host(settings.app.url, host)
    return Space(
        domain=domain,
        stored=domain,
        suffix=f";space={domain}",
        host=host,
        scope=Scope(domain),
        reach=Scope(domain),
        **_described(settings, values, frozenset({domain})),
    )


def _host_of_url(url: str | None) -> str:
    """Return the host in a URL as it is written there, without port; empty if there is none."""
    place = urlsplit(url).netloc.rpartition("@")[2] if url else ""
    return _PORT.sub("", place)


def _host_name(text: str) -> str | None:
    """Return a host name as requests have it, `None` if it is none: lower case, ASCII, no dot at the end, no port.

    An IPv6 address has its brackets.
    """
    with contextlib.suppress(ValueError):
        return f"[{IPv6Address(text.removeprefix('[').removesuffix(']'))}]"
    try:
        name = text.removesuffix(".").encode("idna").decode().lower()
    except UnicodeError:
        return None
    return name if _HOST.fullmatch(name) else None


def _described(settings: Settings, overrides: Mapping[str, Any], public: frozenset[str]) -> dict[str, Any]:
    """Return what a table describes; a setting that it does not override is that of the section."""
    values = {key: getattr(getattr(settings, section), field_of(key)) for key, section in OVERRIDABLE.items()}
    values.update(overrides)
    return {
        **{key: values[key] for key in _PLAIN},
        "ui": tuple(
            (field_of(key), str(int(values[key])))
            for key, section in OVERRIDABLE.items()
            if section == "ui" and values[key] is not None
        ),
        "names": NamePolicy(
            username_regex=re.compile(values["username_regex"]),
            username_min_length=values["username_min_length"],
            password_min_length=values["password_min_length"],
            refuses_common_passwords=values["refuse_common_passwords"],
            blacklist=values["blacklisted_usernames"],
            public_domains=public,
        ),
        "mail": MailTexts(
            from_address=overrides.get("from_address"),
            from_name=overrides.get("from_name"),
            reply_to=overrides.get("reply_to"),
            bounce_address=overrides.get("bounce_address"),
            **{key: values[key] for key in MailTexts.__slots__ if key in OVERRIDABLE and key not in OF_MAIL_BACKENDS},
        ),
    }


def _at_host(url: str, host: str) -> str:
    """Return the URL with another host name and the same scheme, port and path."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=f"{host}{port}")) if url else ""


def _refuse_same_hosts(default: Space, others: Any) -> None:
    known = {_host_name(_host_of_url(default.url)): default}
    for space in others:
        other = known.setdefault(space.host, space)
        if other is not space:
            raise ConfigurationError(f"{space.table} host: {space.host} is also the host of {other.table}.")
