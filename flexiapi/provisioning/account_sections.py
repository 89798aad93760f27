"""Sections of an account: `proxy_N` with its SIP identity and its server, `auth_info_M` with its credentials."""

import re
from collections.abc import Callable, Iterator

from flexiapi.model import Account, ExternalAccount, Password, hashes
from flexiapi.provisioning.document import Entry, Section
from flexiapi.sip_address import HOST

EXTERNAL_KEY = "external_account"
DEFAULTS = "proxy_default_values"
REGISTRAR = "reg_proxy"

_LINE_BREAK = re.compile(r"[\t\r\n]")
_NEEDS_BACKSLASH = re.compile(r'(["\\])')
_PROXY = re.compile(r"proxy_[0-9]+")
_TRANSPORT = re.compile(r"\b(?:tls|tcp|udp)\b", re.IGNORECASE)
_SERVER = re.compile(
    rf"<?(?P<scheme>sips?:)?(?P<host>{HOST}(?::[0-9]+)?)(?P<parameters>(?:;[^\s<>;]+)*)>?", re.IGNORECASE
)
# Where this server is; an account on another server must not register here.
_PLACES = frozenset({REGISTRAR, "reg_route"})

Finish = Callable[[Section], None]
FinishAuth = Callable[[Section, Password], None]


def reg_identity(username: str, domain: str, display_name: str | None) -> str:
    """Return a SIP name-addr, the display name as quoted-string (RFC 3261 section 25.1)."""
    if not display_name:
        return f"<sip:{username}@{domain}>"
    quoted = _NEEDS_BACKSLASH.sub(r"\\\1", _LINE_BREAK.sub(" ", display_name))
    return f'"{quoted}" <sip:{username}@{domain}>'


def registrar(address: str | None, transports: str, domain: str) -> str:
    """Return the `reg_proxy` of a domain's accounts: the SIP server of the settings, or else the domain by TLS.

    `address` is a host or a SIP URI; of the transports that a text for people names, the first counts.
    """
    server = _SERVER.fullmatch(address.strip()) if address else None
    if server is None:
        return f"<sip:{domain};transport=tls>"
    parameters = server["parameters"]
    if "transport=" not in parameters.lower() and (server["scheme"] or "").lower() != "sips:":
        named = _TRANSPORT.search(transports)
        parameters += f";transport={named[0].lower() if named else 'tls'}"
    return f"<{server['scheme'] or 'sip:'}{server['host']}{parameters}>"


def is_unfinished(section: Section) -> bool:
    """Return whether a section is a `proxy_N` without identity, of which liblinphone would make an empty account."""
    return _PROXY.fullmatch(section.name) is not None and section.get("reg_identity") is None


def complete(sections: list[Section], name: str, server: Entry, *, elsewhere: bool = False) -> None:
    """Add to the proxy section of this name what it lacks: the document's defaults, and the server to register at.

    liblinphone 5.3 takes no default values for an account and makes none without `reg_proxy`. An account `elsewhere`
    is on another server and takes no place of this one.
    """
    places = [index for index, section in enumerate(sections) if section.name == name]
    if not places:
        return
    known = {entry.name for index in places for entry in _filled(sections[index])}
    defaults = [entry for section in sections if section.name == DEFAULTS for entry in _filled(section)]
    lacking = Section(name, [entry for entry in defaults if not (elsewhere and entry.name in _PLACES)])
    lacking.merge([] if lacking.get(REGISTRAR) else [server])
    added = [entry for entry in lacking.entries if entry.name not in known]
    for index in places:
        sections[index] = Section(name, [*_filled(sections[index]), *added])
        added = []


def _filled(section: Section) -> list[Entry]:
    """Return the entries of a section without a server that is left empty."""
    return [entry for entry in section.entries if entry.name != REGISTRAR or entry.value.strip()]


def proxy(number: int, account: Account, finish: Finish) -> Section:
    """Return the account's `proxy_N`; `finish` adds to it before the reference to an external account."""
    section = Section(
        f"proxy_{number}",
        [
            Entry("reg_identity", reg_identity(account.username, account.domain, account.display_name)),
            Entry("reg_sendregister", "1"),
            Entry("refkey", "push_notification"),
        ],
    )
    finish(section)
    if account.external_account is not None:
        section.entries.append(Entry("depends_on", EXTERNAL_KEY))
    return section


def auth_infos(first: int, account: Account, realm: str, finish: FinishAuth) -> list[Section]:
    """Return one `auth_info_M` per hash, from `first` on."""
    sections = []
    for number, password in enumerate(hashes(account.passwords, account.username, realm), start=first):
        section = _auth_info(number, account.username, account.domain, realm, password)
        finish(section, password)
        sections.append(section)
    return sections


def external(proxy_number: int, auth_number: int, account: ExternalAccount) -> Iterator[Section]:
    """Return the sections of the account on another server."""
    yield Section(
        f"proxy_{proxy_number}",
        [
            Entry("reg_identity", reg_identity(account.username, account.domain, None)),
            Entry("reg_sendregister", "1"),
            Entry("refkey", "push_notification"),
            Entry("idkey", EXTERNAL_KEY),
        ],
    )
    stored = (Password(account.algorithm, account.stored),)
    for number, password in enumerate(hashes(stored, account.username, account.domain), start=auth_number):
        yield _auth_info(number, account.username, account.domain, account.domain, password)


def _auth_info(number: int, username: str, domain: str, realm: str, password: Password) -> Section:
    return Section(
        f"auth_info_{number}",
        [
            Entry("username", username),
            Entry("domain", domain),
            Entry("ha1", password.ha1),
            Entry("realm", realm),
            Entry("algorithm", password.algorithm.value),
        ],
    )
