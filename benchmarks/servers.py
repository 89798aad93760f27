"""The servers that the real one is compared with: `python -m benchmarks.servers bare|bare-on-ours|obvious PORT URI`."""

import asyncio
import json
import signal
import sys
from typing import Any

import uvloop
from motor.motor_asyncio import AsyncIOMotorClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from benchmarks.configuration import DATABASE
from benchmarks.programs import BARE, BARE_ON_OURS, OBVIOUS
from flexiapi.crypto.keys import token_hash
from flexiapi.server.http_server import HttpServer


class Bare(RequestHandler):
    """A handler without work, which measures Tornado itself."""

    def get(self) -> None:
        self.write({"activated": True, "realm": None})


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


def _application(kind: str, uri: str) -> Application:
    if kind != OBVIOUS:
        return Application([(r".*", Bare)])
    database: dict[str, Any] = {"database": AsyncIOMotorClient(uri)[DATABASE]}
    return Application(
        [
            (r"/api/accounts/me", ObviousMe, database),
            (r"/api/accounts/([^/]+)/info", ObviousInfo, database),
            (".*", Bare),
        ]
    )


def _on_tornados(application: Application) -> Any:
    return HTTPServer(application)


def _on_ours(application: Application) -> Any:
    return HttpServer(application)


_SERVERS = {BARE: _on_tornados, OBVIOUS: _on_tornados, BARE_ON_OURS: _on_ours}


async def serve(kind: str, port: int, uri: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = _SERVERS[kind](_application(kind, uri))
    for listener in bind_sockets(port, "127.0.0.1", backlog=1024):
        server.add_socket(listener)
    await stop.wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
