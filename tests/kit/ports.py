"""Ports for programs that must be told theirs before they listen."""

import itertools
import os
import random
import socket

# Below those that the kernel gives away by itself (`ip_local_port_range`), to a connection or to another test's server.
_PORTS = range(10_000, 32_768)
_WORKERS = 16


def _own_ports():
    """Those of this process of pytest-xdist, which no other one takes."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    own = _PORTS[worker::_WORKERS]
    start = random.randrange(len(own))
    return itertools.cycle([*own[start:], *own[:start]])


_NEXT = _own_ports()


def free_port() -> int:
    """A port that is free for TCP and UDP on 127.0.0.1, and is not told again."""
    for port in _NEXT:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("a cycle has no end")
