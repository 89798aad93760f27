"""Servers in threads of the test process, each with settings and a database of its own."""

import asyncio
import contextlib
import io
import json
import os
import secrets
import threading
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from pymongo import MongoClient, common
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from flexiapi.crypto.keys import random_text, token_hash
from flexiapi.model import Account, Actor, Algorithm, Change, KeyScope
from flexiapi.server.assembly import running
from flexiapi.server.http1.limits import HttpLimits
from flexiapi.server.http_server import HttpServer
from flexiapi.services.clock import Clock
from flexiapi.services.sign_in import NewNamedKey
from flexiapi.settings import LimitSettings, Settings
from tests.kit.declared import Declared
from tests.kit.person import PASSWORD, Person
from tests.kit.watched_log import LOG

# A client that is closed waits for its threads, and these sleep so long (in seconds).
common.MIN_HEARTBEAT_INTERVAL = 0.05

WITHOUT_LIMITS = {name: 0 for name, field in LimitSettings.model_fields.items() if field.annotation is int}


LIMITS = HttpLimits()
KIND = os.environ.get("TESTS_ON_HTTP_SERVER", "flexiapi")


@contextlib.asynccontextmanager
async def listening(application, sockets, limits: HttpLimits = LIMITS, kind: str = KIND):
    """The HTTP server that the option `--http-server` names."""
    if kind == "tornado":
        server = HTTPServer(application, max_body_size=limits.body_bytes)
        server.add_sockets(sockets)
        yield server
        server.stop()
        await server.close_all_connections()
    else:
        server = HttpServer(application, limits)
        for listener in sockets:
            server.add_socket(listener)
        yield server
        await server.finish(_nothing, 0)


async def _nothing() -> None:
    """Do not wait for requests under way: the test is over."""


class Server:
    """A server in a thread of its own, as real as the one that `flexiapi serve` runs."""

    living: ClassVar[set] = set()

    def __init__(self, settings: Settings, uri: str) -> None:
        self.clock = Clock()
        self.actor = Actor.system()
        self.log = io.StringIO()
        self.declared = Declared()
        self.sockets = bind_sockets(settings.server.port, "127.0.0.1")
        port = self.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        app = settings.app if settings.app.url else settings.app.model_copy(update={"url": self.url})
        self.settings = settings.model_copy(update={"app": app})
        self.uri = uri
        self.http = httpx.Client(base_url=self.url, timeout=60, headers={"Accept": "application/json"})
        LOG.watch(self.http)
        self.parts = self.application = None
        self._ready = threading.Event()
        self._failure = None
        self._thread = threading.Thread(target=self._main, daemon=True)

    def start(self) -> "Server":
        Server.living.add(self)
        self._thread.start()
        assert self._ready.wait(90), "the server does not start"
        if self._failure is not None:
            self._thread.join()
            self.http.close()
            raise self._failure
        return self

    def _main(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:  # noqa: BLE001  # handed to the thread that waits
            self._failure = error
            self._ready.set()

    async def _live(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        async with running(self.settings, self.uri, clock=self.clock, log_stream=self.log) as inside:
            self.parts, self.readiness, self.application = inside.parts, inside.readiness, inside.application
            self.declared.watch(inside.application)
            async with listening(inside.application, self.sockets):
                self._ready.set()
                await self._stop.wait()

    def stop(self) -> None:
        self.http.close()
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(60)
        assert not self._thread.is_alive(), "the server does not stop"
        Server.living.discard(self)
        LOG.note_messages(self.messages)
        LOG.note_lines(self.log.getvalue())

    def expect_errors(self, pattern: str) -> None:
        """Lines of severity error that match are what this test wants; others fail it."""
        LOG.expected_errors = pattern

    def run(self, coroutine):
        """Run a coroutine on the server's loop and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def later(self, **duration: float) -> None:
        """Let time pass for the server."""
        self.clock.offset += timedelta(**duration)

    @property
    def store(self):
        return self.parts.store

    @property
    def services(self):
        return self.parts.services

    def account(self, account_id: int) -> Account:
        return self.run(self.store.accounts.by_id(account_id))

    def apply(self, change: Change) -> Account | None:
        """Change an account as the server would: its sign-in replica has it afterwards."""
        return self.run(self._applied(change))

    async def _applied(self, change: Change) -> Account | None:
        actor = Actor.system()
        account = await self.store.accounts.apply(change, actor)
        await self.parts.replication.settle(actor)
        return account

    def set(self, account_id: int, **changes) -> Account:
        before = self.account(account_id)
        return self.apply(Change("account.set_by_test", before, replace(before, **changes), frozenset(changes)))

    def person(self, username: str | None = None, *, password: str = PASSWORD, **fields) -> Person:
        """Make an activated account with a SHA-256 password and an API key."""
        domain = fields.pop("domain", self.settings.app.sip_domain)
        username = username or f"user.{secrets.token_hex(6)}"
        now = self.clock.second()
        stored = fields.pop("passwords", None) or (
            self.services.sign_in.passwords.stored(username, domain, Algorithm.SHA_256, password),
        )
        fields = {"activated": True, "created_at": now, "updated_at": now, **fields}
        new = Account(id=0, username=username, domain=domain, passwords=stored, **fields)
        account = self.apply(Change("account.created", None, new))
        key = self.key_for(account.id)
        person = Person(self.account(account.id), password, key)
        LOG.secrets |= {person.key, person.password}
        return person

    def key_for(self, account_id: int) -> str:
        key = random_text(40)
        self.apply(self.account(account_id).with_api_key(token_hash(key), self.clock.now()))
        return key

    def named_key(self, *scopes: str, actor: Actor | None = None, **life: int) -> dict[str, str]:
        """Make a named API key, of the space if no administrator is the actor. Return the header that has it."""
        new = NewNamedKey(f"key {secrets.token_hex(6)}", [KeyScope(scope) for scope in scopes], **life)
        key, _ = self.run(self.services.sign_in.named_keys.make(new, actor or self.actor))
        LOG.secrets.add(key)
        return {"x-api-key": key}

    def creation_token(self) -> str:
        return self.run(self.services.codes.creation_tokens.make(self.actor))

    @property
    def messages(self) -> list[dict]:
        """The messages in the outbox."""
        outbox = self.settings.data.path / "outbox.jsonl"
        return [json.loads(line) for line in outbox.read_text().splitlines()] if outbox.exists() else []


def settings_of(tables: dict, folder: Path) -> Settings:
    """Settings for a test: these tables over defaults without limits, and with time enough for any machine."""
    defaults = {
        "data": {"path": str(folder)},
        "server": {"port": 0, "processes": 1},
        "app": {"key": "k" * 40, "dangerous_endpoints": True, "env": "development"},
        "delivery": {"fallback_backend": "outbox", "deadline_seconds": 30},
        "redis": {"timeout_seconds": 30},
        "flexisip": {"message_seconds": 30},
        "limits": dict.fromkeys(
            (
                "requests_per_minute",
                "anonymous_tokens_per_minute",
                "messages_per_minute",
                "sms_per_minute",
                "sms_per_hour",
                "sms_per_day",
                "sms_per_number_and_network",
                "sms_per_network",
                "mails_per_hour",
            ),
            0,
        ),
        "mongodb": {"database": f"test_{secrets.token_hex(6)}", "timeout_seconds": 30},
    }
    merged = {name: {**defaults.get(name, {}), **tables.get(name, {})} for name in defaults.keys() | tables.keys()}
    return Settings.model_validate(merged)


@contextlib.contextmanager
def serving(tables: dict, folder: Path, uri: str):
    """A server with these settings, and a database that no other test sees.

    A database without a name in the settings is emptied at the end and used again: its indexes cost more than a test.
    """
    mongodb = tables.get("mongodb", {})
    with contextlib.nullcontext(mongodb["database"]) if "database" in mongodb else _empty_database(uri) as database:
        settings = settings_of({**tables, "mongodb": {**mongodb, "database": database}}, folder)
        server = Server(settings, uri).start()
        try:
            yield server
        finally:
            server.stop()
        assert server.declared.surprises == []


def shared_by_module(tables: dict):
    """The fixture `server` of a module: a server with these settings, which its tests share."""

    @pytest.fixture(scope="module")
    def server(tmp_path_factory, mongod_uri):
        with serving(tables, tmp_path_factory.mktemp("shared"), mongod_uri) as running_server:
            yield running_server

    return server


_EMPTY_DATABASES: dict[str, list[str]] = defaultdict(list)


@contextlib.contextmanager
def _empty_database(uri: str):
    """The name of a database that has no documents. It may have the collections and indexes of another test."""
    names = _EMPTY_DATABASES[uri]
    name = names.pop() if names else f"test_{secrets.token_hex(6)}"
    yield name
    with MongoClient(uri) as client:
        for collection in client[name].list_collection_names():
            client[name][collection].delete_many({})
    names.append(name)
