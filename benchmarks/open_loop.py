"""Open-loop load: requests leave at times that are fixed beforehand, however long the answers before them take.

A closed loop sends the next request when the answer is there, so a server that stalls is asked less, and the wait of
those that would have come meanwhile is never seen. Here each wait begins at the time at which its request was due.
`python -m benchmarks.open_loop PORT CONNECTIONS RATE SECONDS ACCOUNTS HEAD` is one process; HEAD is a request with
`{number}` for the account. It prints its report as JSON.
"""

import contextlib
import gc
import json
import random
import re
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass

from benchmarks.arithmetic import percentile

_PATIENCE_SECONDS = 10.0
_LEAD_SECONDS = 0.2
_READ_BYTES = 65536
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


@dataclass(frozen=True)
class Waits:
    """The report: `rate` is of answers per second, waits are in ms from the time at which a request was due.

    `late` is the 99th percentile of the loader's own delay on a free connection, which the waits include; `share` is
    the part of one core that it took, and `each` that time per request in microseconds.
    """

    requests: int
    rate: float
    p50: float
    p99: float
    errors: int
    late: float
    share: float
    each: float


def answer_length(received: bytes | bytearray) -> int | None:
    """Return the length of the first answer, or `None` while its head is incomplete.

    Raises `ValueError` if it has no Content-Length.
    """
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    found = _LENGTH.search(received, 0, end + 2)
    if found is None:
        raise ValueError("an answer without Content-Length")
    return end + 4 + int(found[1])


class Caller:
    """A keep-alive connection with one request on its way at most; those that are due meanwhile wait."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due: deque[float] = deque()
        self.is_busy = False
        self._received = bytearray()

    def send(self, request: bytes) -> None:
        self.is_busy = True
        with contextlib.suppress(OSError):  # a closed connection is noticed when it is read
            self.socket.sendall(request)

    def receive(self) -> bytes:
        """Read what is there, and return the answer if it is complete. Raises `OSError` if the connection is closed."""
        data = self.socket.recv(_READ_BYTES)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        self._received += data
        length = answer_length(self._received)
        if length is None or len(self._received) < length:
            return b""
        answer = bytes(self._received[:length])
        del self._received[:length]
        self.is_busy = False
        return answer


class OpenLoop:
    """A load of so many requests per second, spread evenly over connections and time."""

    def __init__(self, port: int, connections: int, rate: float, make: Callable[[], bytes]) -> None:
        self._rate = rate
        self._make = make
        self._callers = [Caller(port) for _ in range(connections)]
        self._by_descriptor = {caller.socket.fileno(): caller for caller in self._callers}
        self._ready = select.epoll()
        for descriptor in self._by_descriptor:
            self._ready.register(descriptor, select.EPOLLIN)
        self._waits: list[float] = []
        self._delays: list[float] = []
        self._errors = 0

    def run(self, seconds: float) -> Waits:
        """Send all requests, and wait for the last answers."""
        self._warm()
        count, sent = int(self._rate * seconds), 0
        cpu, began = time.process_time(), time.perf_counter() + _LEAD_SECONDS
        until = began + seconds + _PATIENCE_SECONDS
        while len(self._waits) < count and (now := time.perf_counter()) < until:
            while sent < count and (due := began + sent / self._rate) <= now:
                self._offer(self._callers[sent % len(self._callers)], due)
                sent += 1
            following = began + sent / self._rate if sent < count else until
            # An epoll that waits itself does so in milliseconds; select takes microseconds.
            if select.select([self._ready], [], [], max(following - time.perf_counter(), 0))[0]:
                for descriptor, _ in self._ready.poll(0):
                    self._read(self._by_descriptor[descriptor])
        spent, passed = time.process_time() - cpu, time.perf_counter() - began
        self._close()
        return self._report(count, until, spent, passed)

    def _warm(self) -> None:
        """Have each connection answered once, before the time counts."""
        for caller in self._callers:
            caller.send(self._make())
            while not caller.receive():
                pass
            caller.socket.setblocking(False)

    def _close(self) -> None:
        self._ready.close()
        for caller in self._callers:
            caller.socket.close()

    def _offer(self, caller: Caller, due: float) -> None:
        caller.due.append(due)
        if not caller.is_busy:
            self._delays.append(time.perf_counter() - due)
            caller.send(self._make())

    def _read(self, caller: Caller) -> None:
        try:
            answer = caller.receive()
        except (OSError, ValueError):
            # What is due on it stays unanswered, and counts so at the end.
            self._ready.unregister(caller.socket)
            return
        if not answer:
            return
        self._waits.append(time.perf_counter() - caller.due.popleft())
        self._errors += not answer.startswith(b"HTTP/1.1 2")
        if caller.due:
            caller.send(self._make())

    def _report(self, count: int, until: float, cpu: float, seconds: float) -> Waits:
        unanswered = [until - due for caller in self._callers for due in caller.due]
        waits = self._waits + unanswered
        return Waits(
            requests=count,
            rate=len(self._waits) / seconds,
            p50=percentile(waits, 0.5) * 1e3,
            p99=percentile(waits, 0.99) * 1e3,
            errors=self._errors + len(unanswered),
            late=percentile(self._delays, 0.99) * 1e3,
            share=cpu / seconds,
            each=cpu / count * 1e6,
        )


def main() -> None:
    port, connections, rate, seconds, accounts, head = sys.argv[1:]

    def request() -> bytes:
        return head.format(number=random.randint(1, int(accounts))).encode()

    gc.disable()  # it makes no cycles, and a collection would delay what is due
    print(json.dumps(asdict(OpenLoop(int(port), int(connections), float(rate), request).run(float(seconds)))))


if __name__ == "__main__":
    main()
