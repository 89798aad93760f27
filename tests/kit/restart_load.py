"""Clients of a server that is restarted: they count what was lost, and try again what was refused."""

import http.client
import itertools
import select
import ssl
import threading
import time
from collections import Counter

NEW, BUSY, IDLE = "new connections", "busy kept-alive connections", "idle kept-alive connections"


class RestartLoad:
    """Threads that make requests until the end of the block.

    A request is lost when it was sent on an accepted connection and had no answer, or one that a front server made up.
    A connection that is refused, or was closed before a request is sent, is opened again: clients do that.
    `pause` is the time in seconds between an answer and the next request of a client that is not idle.
    """

    def __init__(
        self,
        port: int,
        path: str,
        clients: int = 6,
        *,
        pause: float = 0.03,
        tls: ssl.SSLContext | None = None,
        **headers: str,
    ) -> None:
        self.answered, self.lost, self.refused = Counter(), Counter(), Counter()
        self.failures: list[str] = []
        self._port, self._path, self._tls, self._headers = port, path, tls, headers
        self._pause = pause
        self._stop = threading.Event()
        kinds = itertools.islice(itertools.cycle((NEW, BUSY, IDLE)), clients)
        self._threads = [threading.Thread(target=self._work, args=(kind, n)) for n, kind in enumerate(kinds)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def await_answers(self, more: int) -> None:
        """Wait until each kind of client has had so many more answers."""
        goal = {kind: self.answered[kind] + more for kind in (NEW, BUSY, IDLE)}
        until = time.monotonic() + 120
        while any(self.answered[kind] < goal[kind] for kind in goal):
            assert time.monotonic() < until, (self.answered, self.failures[-3:])
            time.sleep(0.02)

    def _work(self, kind: str, number: int) -> None:
        connection = None
        while not self._stop.is_set():
            if connection is None or connection.sock is None or _has_ended(connection):
                connection = self._connected(connection)
                if connection is None:
                    self.refused[kind] += 1
                    time.sleep(0.02)
                    continue
            self._ask(connection, kind)
            if kind == NEW:
                connection.close()
            time.sleep(0.3 + number % 7 / 10 if kind == IDLE else self._pause)
        if connection is not None:
            connection.close()

    def _connected(self, before):
        if before is not None:
            before.close()
        if self._tls is None:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        else:
            connection = http.client.HTTPSConnection("127.0.0.1", self._port, timeout=60, context=self._tls)
        try:
            connection.connect()
        except OSError:
            connection.close()
            return None
        return connection

    def _ask(self, connection, kind: str) -> None:
        try:
            connection.request("GET", self._path, headers=self._headers)
            with connection.getresponse() as answer:
                answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._lose(kind, repr(error))
            connection.close()
            return
        if answer.status == 200:
            self.answered[kind] += 1
        else:
            self._lose(kind, f"status {answer.status}")

    def _lose(self, kind: str, why: str) -> None:
        self.lost[kind] += 1
        self.failures.append(f"{kind}: {why}")


def _has_ended(connection) -> bool:
    """Return whether the server has closed a connection on which no answer is waited for."""
    return bool(select.select([connection.sock], [], [], 0)[0])
