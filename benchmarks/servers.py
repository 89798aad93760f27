"""The compared servers, one process each: `python -m benchmarks.servers bare|obvious|ours PORT URI`."""

import asyncio
import json
import signal
import sys
from typing import Any

import uvloop
from motor.motor_asyncio import AsyncIOMotorClient
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from benchmarks.data import DATABASE, DOMAIN, KEY
from flexiapi import observing
from flexiapi.crypto.keys import token_hash
from flexiapi.server.assembly import running
from flexiapi.server.processes import spare_the_collector
from flexiapi.settings import Settings


class Bare(RequestHandler):
    """A handler without work, which measures Tornado itself."""

    def get(self) -> None:
        self.write({"activated": True, "realm": None})

    post = get


class Obvious(RequestHandler):
    """Base of the naive handlers: one plain find_one per lookup."""

    def initialize(self, database: Any) -> None:
        self.accounts = database.accounts


class ObviousInfo(Obvious):
    async def get(self, sip: str) -> None:
        name, _, domain = sip.partition("@")
        account = await self.accounts.find_one({"identifiers": f"sip:{name}@{domain}"})
        if account is None:
            self.set_status(404)
            self.write({"message": "not found"})
            return
        self.write({"activated": account["activated"], "realm": None})


class ObviousMe(Obvious):
    async def get(self) -> None:
        account = await self.accounts.find_one({"api_key.hash": token_hash(self.request.headers["x-api-key"])})
        shown = {name: account[name] for name in ("username", "domain", "email", "activated", "display_name")}
        self.write(json.dumps({**shown, "id": account["_id"]}))


def ours(url: str) -> Settings:
    """Return settings with limits off, because all load comes from one address; the others are defaults."""
    fields = Settings().limits.__class__.model_fields.items()
    limits = {name: 0 for name, field in fields if field.annotation is int}
    return Settings.model_validate(
        {
            "app": {"key": KEY, "url": url, "sip_domain": DOMAIN, "dangerous_endpoints": True},
            "mongodb": {"database": DATABASE},
            "limits": limits,
            "flexisip": {"external_auth": True},
            "log": {"level": "info"},
        }
    )


async def serve(kind: str, port: int, uri: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    if kind == "ours":
        async with running(ours(f"http://127.0.0.1:{port}"), uri) as inside:
            spare_the_collector()
            await _listen(inside.application, port, stop)
        return
    database = AsyncIOMotorClient(uri)[DATABASE]
    routes: list[Any] = [(r".*", Bare)]
    if kind == "obvious":
        routes = [
            (r"/api/accounts/me", ObviousMe, {"database": database}),
            (r"/api/accounts/([^/]+)/info", ObviousInfo, {"database": database}),
        ]
    await _listen(Application(routes), port, stop)


async def _listen(application: Any, port: int, stop: asyncio.Event) -> None:
    server = HTTPServer(application)
    server.listen(port, "127.0.0.1")
    await stop.wait()
    server.stop()


if __name__ == "__main__":
    observing.configure("info")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
