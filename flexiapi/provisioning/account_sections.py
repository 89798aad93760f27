"""Sections of an account: `proxy_N` with its SIP identity, `auth_info_M` with its credentials."""

import re
from collections.abc import Callable, Iterator

from flexiapi.model import Account, ExternalAccount, Password, hashes
from flexiapi.provisioning.document import Entry, Section

EXTERNAL_KEY = "external_account"

_LINE_BREAK = re.compile(r"[\t\r\n]")
_NEEDS_BACKSLASH = re.compile(r'(["\\])')

Finish = Callable[[Section], None]
FinishAuth = Callable[[Section, Password], None]


def reg_identity(username: str, domain: str, display_name: str | None) -> str:
    """Return a SIP name-addr, the display name as quoted-string (RFC 3261 section 25.1)."""
    if not display_name:
        return f"<sip:{username}@{domain}>"
    quoted = _NEEDS_BACKSLASH.sub(r"\\\1", _LINE_BREAK.sub(" ", display_name))
    return f'"{quoted}" <sip:{username}@{domain}>'


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
