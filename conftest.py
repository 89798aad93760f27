"""The whole test suite, plugins included: surroundings, pytest-tornado, Hypothesis, signals, and options."""

import asyncio
import itertools
import os
import signal
import sys
import types
from pathlib import Path

import hypothesis
import packaging.version
import pytest
from tornado.ioloop import IOLoop

from flexiapi.settings import Settings, loading

pytest.register_assert_rewrite("tests.kit")

# What is installed on this machine, or set in the shell that started the tests, changes nothing in them, nor in the
# programs that they start: variables of settings, proxies, the settings file in /etc.
_NOT_OURS = ("flexiapi", "prometheus", "http", "https", "all", *Settings.model_fields)
for _variable in [name for name in os.environ if name.lower().partition("_")[0] in _NOT_OURS and "_" in name]:
    del os.environ[_variable]
os.environ["FLEXIAPI_CONFIG"] = os.devnull
loading.DEFAULT_FILE = Path(os.devnull)

# Each client of httpx reads the certificate authorities of this machine, which takes 25 ms, and there are thousands of
# clients. Peers are on loopback; where a test speaks TLS, it names its own authority.
os.environ["SSL_CERT_FILE"] = str(Path(__file__).parent / "tests" / "data" / "certificate-authority.pem")

# How long an example takes is a property of the machine. CI tries the same examples each time, so that a change is
# never refused for what another one did; elsewhere each run looks at new ones.
hypothesis.settings.register_profile(
    "flexiapi",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
    derandomize="CI" in os.environ,
)
hypothesis.settings.load_profile("flexiapi")

# A shell ignores SIGINT for what it starts in the background, and every program that a test starts would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# pytest-tornado asks `pkg_resources`, which is gone, for two functions.
sys.modules.setdefault(
    "pkg_resources",
    types.SimpleNamespace(parse_version=packaging.version.parse, fixup_namespace_packages=lambda _: None),
)

# The default of 5 seconds for a `gen_test` is too short for a busy machine.
os.environ.setdefault("ASYNC_TEST_TIMEOUT", "60")

pytest_plugins = ["pytest_tornado.plugin"]


def pytest_addoption(parser):
    """Add the options of this suite."""
    parser.addoption("--slow", action="store_true", help="run the tests marked slow, too")
    parser.addoption(
        "--http-server", choices=("flexiapi", "tornado"), help="the HTTP server of servers in the test process"
    )
    drivers = ("motor", "pymongo")
    parser.addoption("--driver", choices=drivers, default="motor", help="the client of MongoDB (decision 0093)")


def pytest_configure(config):
    """Tell the tests, the processes of pytest-xdist, and servers that tests start, what to run on."""
    if config.getoption("--http-server"):
        os.environ["TESTS_ON_HTTP_SERVER"] = config.getoption("--http-server")
    os.environ["FLEXIAPI_DRIVER"] = config.getoption("--driver")


def pytest_collection_modifyitems(config, items):
    """Leave out slow tests unless they are asked for, and let processes of pytest-xdist begin with what takes long."""
    if not config.getoption("--slow"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="slow: runs only with --slow"))
    if hasattr(config, "workerinput"):
        items[:] = _long_beside_short(items)


def _long_beside_short(items):
    """These tests, by file: in turn one whose few tests take long, most of them for processes, and one with many tests.

    Side by side they take hardly longer than one of them. By themselves files with many tests come first, and at the
    end the processors idle.
    """
    files = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    long = [file for file in files.values() if any(map(_is_long, file))]
    short = [file for file in files.values() if not any(map(_is_long, file))]
    pairs = itertools.zip_longest(long, sorted(short, key=len, reverse=True), fillvalue=[])
    return [item for pair in pairs for file in pair for item in file]


def _is_long(item):
    return any(item.get_closest_marker(name) for name in ("faults", "browser", "long"))


@pytest.fixture
def io_loop():
    """The loop of a `gen_test`; pytest-tornado makes it in a way that Tornado has given up."""
    loop = IOLoop(make_current=False)
    asyncio.set_event_loop(loop.asyncio_loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close(all_fds=True)
