"""Diagnosis of every link between accounts and calls, with advice for `flexisip.conf`."""

import os
import sqlite3
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from flexiapi.errors import ApiError, ConfigurationError
from flexiapi.flexisip.configured import cli_socket_of, message_sender_of, registrar_of
from flexiapi.flexisip.reader import Reader, described, group_name, reader_of
from flexiapi.flexisip.replica_file import FILE_MODE
from flexiapi.flexisip.replica_tables import COLUMNS, columns
from flexiapi.settings import FlexisipSettings, Settings

_CHALLENGES = """\
auth-domains={domain}
available-algorithms={algorithms}
"""
_BY_REPLICA = """\
[module::Authentication]
enabled=true
{challenges}db-implementation=soci
soci-backend=sqlite3
soci-connection-string=dbname={path} timeout=5 readonly=true
soci-poolsize=4
cache-expire=60
"""
_BY_ENDPOINT = """\
[global]
plugins=external-auth

[module::ExternalAuthentication]
enabled=true
{challenges}remote-auth-uri={url}/sip/auth?{query}
"""
_CREDENTIALS = ("username", "realm", "nonce", "uri", "response", "algorithm", "qop", "nc", "cnonce")
_TOKENS = ("method", "from", "domain", *_CREDENTIALS)
_REALM = "realm={realm}\n"
# The documented place: everyone may search the folders above it.
PLACE = Path("/var/lib/flexiapi-sip")


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of checking a link; `advice` says what to do if it is not right, or not configured."""

    link: str
    is_right: bool
    text: str
    advice: str = ""
    is_configured: bool = True


def _not_configured(link: str, without: str, advice: str) -> Finding:
    """Return what is missing without a link. That may be meant so, and is not wrong."""
    return Finding(link, True, f"not configured: {without}", advice, is_configured=False)


def flexisip_conf(settings: Settings) -> str:
    """Return the lines of `flexisip.conf` for sign-in as these settings serve it; empty if it is not configured."""
    section, realm = settings.flexisip, settings.account.realm
    algorithms = "SHA-256 MD5" if settings.account.md5 else "SHA-256"
    challenges = _CHALLENGES.format(domain=settings.app.sip_domain, algorithms=algorithms)
    challenges += _REALM.format(realm=realm) if realm else ""
    if section.auth_replica is not None:
        return _BY_REPLICA.format(challenges=challenges, path=section.auth_replica.absolute())
    if section.external_auth:
        query = "&".join(f"{name}={{{name}}}" for name in _TOKENS)
        return _BY_ENDPOINT.format(challenges=challenges, url=settings.app.url, query=query)
    return ""


async def findings(settings: Settings, user: str | None = None) -> AsyncIterator[Finding]:
    """Check every link, without changing anything, and what Flexisip's user may read.

    Without a user it is `flexisip`, or some member of flexisip.auth_replica_group. Raises `ConfigurationError` if this
    host has no such user.
    """
    for finding in _of_sign_in(settings.flexisip, user):
        yield finding
    registrar = registrar_of(settings)
    if registrar is None:
        advice = "Set redis.host to Flexisip's Redis, or flexisip.cli_socket."
        yield _not_configured("registrar", "there are no devices", advice)
    else:
        advice = "Compare [redis] with redis-server-* in [module::Registrar], or the path of the CLI socket."
        yield await _answering("registrar", registrar.check, registrar.close, advice)
    cli = cli_socket_of(settings.flexisip)
    if cli is not None:
        advice = "Run the server as Flexisip's user on its host. Without it, changed passwords wait for cache-expire."
        yield await _answering("cli socket", cli.check, None, advice)
    sender = message_sender_of(settings)
    if sender is None:
        advice = "Set flexisip.proxy and flexisip.sender."
        yield _not_configured("proxy", "POST /api/messages cannot send", advice)
    else:
        advice = "Compare flexisip.proxy with transports in [global], and trusted-hosts in [module::Authentication]."
        yield await _answering("proxy", sender.check, sender.close, advice)


async def _answering(
    link: str, check: Callable[[], Awaitable[None]], close: Callable[[], Awaitable[None]] | None, advice: str
) -> Finding:
    try:
        await check()
    except (ApiError, ConfigurationError) as error:
        return Finding(link, False, str(error), advice)
    finally:
        if close is not None:
            await close()
    return Finding(link, True, "answers")


def _of_sign_in(section: FlexisipSettings, user: str | None) -> Iterator[Finding]:
    path = section.auth_replica
    if path is None and section.external_auth:
        networks = ", ".join(map(str, section.external_auth_networks))
        yield Finding("sign-in", True, f"at /sip/auth, asked from {networks}")
    elif path is None:
        advice = "Set flexisip.auth_replica to a path that Flexisip may read, or flexisip.external_auth to true."
        yield _not_configured("sign-in", "Flexisip knows an account by its userdb file, if at all", advice)
    elif not path.is_file():
        yield Finding("replica", False, f"{path} is not there", "Start the server, or run `flexiapi sip rebuild`.")
    else:
        yield from _of_permissions(path, section.auth_replica_group)
        reader = reader_of(user, section.auth_replica_group)
        if reader is not None:
            yield _of_reading(path.absolute(), reader)
        yield _of_content(path)


def _of_permissions(path: Path, group: str | None) -> Iterator[Finding]:
    state, folder = path.stat(), path.parent.stat()
    mode = stat.S_IMODE(state.st_mode)
    yield Finding("replica mode", mode == FILE_MODE, f"{mode:04o}", f"chmod {FILE_MODE:04o} {path}")
    owner = group_name(state.st_gid)
    if group is None:
        advice = "Set flexisip.auth_replica_group to Flexisip's group, unless Flexisip runs as root."
        yield Finding("replica group", True, f"{owner}. {advice}")
    else:
        yield Finding("replica group", owner == group, owner, f"chgrp {group} {path}")
    is_closed = not folder.st_mode & stat.S_IWOTH and os.access(path.parent, os.W_OK)
    text = f"{stat.S_IMODE(folder.st_mode):04o} {path.parent}"
    yield Finding("replica folder", is_closed, text, "Only the server's user may write there; Flexisip needs r-x.")


def _of_reading(path: Path, reader: Reader) -> Finding:
    """Check the file and every folder above it as Flexisip's user meets them."""
    for folder in reversed(path.parents):
        if not reader.may(folder, stat.S_IXOTH):
            advice = f"Keep the replica in {PLACE}, or let {reader.name} search that folder."
            return Finding("replica path", False, f"{reader.name} may not search {folder}: {described(folder)}", advice)
    if not reader.may(path, stat.S_IROTH):
        advice = "Set flexisip.auth_replica_group to Flexisip's group."
        return Finding("replica path", False, f"{reader.name} may not read {path}: {described(path)}", advice)
    return Finding("replica path", True, f"{reader.name} may read {path}")


def _of_content(path: Path) -> Finding:
    """Read the file as Flexisip does."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as file:
            journal = file.execute("PRAGMA journal_mode").fetchone()[0]
            if columns(file) != COLUMNS or journal != "delete":
                return Finding(
                    "replica", False, "not as Flexisip needs it", "Stop the server, move it away, start again."
                )
            count = file.execute("SELECT count(*) FROM accounts").fetchone()[0]
            is_complete = file.execute("SELECT 1 FROM flexiapi WHERE name = 'complete'").fetchone() is not None
    except sqlite3.Error as error:
        return Finding("replica", False, f"{path} cannot be read: {error}", "Run `flexiapi sip rebuild`.")
    advice = "Wait until the server has compared all accounts, or run `flexiapi sip rebuild`."
    return Finding("replica", is_complete, f"{path} has {count} activated accounts", advice)
