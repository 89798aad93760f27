"""Fixtures. Each is made when a test first asks for it; what they are made of is in `tests/kit/`.

A server in the test process
    mongod_uri        a real mongod of the session (one-node replica set on a Unix socket)
    configure         the settings of this test: a dict of tables, override it with a fixture of the same name
    server            a running server on a free loopback port with a database of its own; one for all tests of a
                      module is `server = tests.kit.server.shared_by_module(tables)`
    http              an httpx client of it
    admin             an activated administrator of it, with an API key
    alice             an activated account with password and API key

A server as a process of its own
    serve             (name, wait=..., **environment) -> `flexiapi serve`, to be killed
    own_mongod        a mongod of the test's own, to be stopped and started

Distributions with backends
    install           (name, module, entry points, source) -> an importable distribution
    scripted          backends that do what the test puts in their `script`
    no_waits          tries follow each other at once

Real peers on loopback, by unprivileged ports; a missing program fails the test and names its Debian package
    folder            an empty folder whose path is short enough for unix sockets
    authority         a certificate authority (`ca_file`) and its certificate of 127.0.0.1 and localhost; per session
    redis_server      a Redis with a password, on TCP, TLS and a unix socket; per session, emptied for each test
    sentinel_port     the port of a Sentinel that watches redis_server; per session
    replicated_redis  two redis-servers and their Sentinel, which can fail over
    linphone_daemon   (name, rc file) -> a running linphone-daemon; `registered()`, `received(call_id)`
    kamailio          (authenticate=..., modules=..., domain=...) -> a registrar and proxy; equal calls share one
    chromium          a running chromium; per session
    page              an empty page of it, by playwright; `tests.kit.browser.barriers(page)` is what axe finds
    sipp              (*steps, transport=...) -> a SIP server that plays a scenario
"""

import pytest

from tests.kit.backends import install, no_waits, scripted
from tests.kit.browser import chromium, page
from tests.kit.figures import write_table
from tests.kit.mongod import mongod_in_memory
from tests.kit.programs import authority, folder, session_folder
from tests.kit.redis import redis_server, replicated_redis, sentinel_port, session_redis
from tests.kit.server import Server, serving
from tests.kit.server_process import own_mongod, serve
from tests.kit.sip_peers import kamailio, linphone_daemon, sipp
from tests.kit.watched_log import LOG

__all__ = [
    "authority",
    "chromium",
    "folder",
    "install",
    "kamailio",
    "linphone_daemon",
    "no_waits",
    "own_mongod",
    "page",
    "redis_server",
    "replicated_redis",
    "scripted",
    "sentinel_port",
    "serve",
    "session_folder",
    "session_redis",
    "sipp",
]


def pytest_terminal_summary(terminalreporter):
    """Show the figures that tests have noted."""
    write_table(terminalreporter)


@pytest.fixture(autouse=True)
def _watched_log():
    """Send what the test logs to the watched log, which is searched at its end for secrets and for errors."""
    LOG.configure()
    served = bool(Server.living)
    yield
    LOG.check(errors=served or bool(Server.living) or LOG.served)


@pytest.fixture(scope="session")
def mongod_uri():
    with mongod_in_memory() as mongod:
        yield mongod.uri


@pytest.fixture
def configure():
    return {}


@pytest.fixture
def server(configure, tmp_path, mongod_uri):
    with serving(configure, tmp_path, mongod_uri) as running_server:
        yield running_server


@pytest.fixture
def http(server):
    return server.http


@pytest.fixture
def admin(server):
    return server.person("the.admin", admin_since=server.clock.second())


@pytest.fixture
def alice(server):
    return server.person("alice.martin")
