"""The open-loop load: waits begin when a request was due, also behind an answer that takes long."""

import socket
import threading

import pytest

from benchmarks.open_loop import OpenLoop, answer_length

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class StallingServer:
    """A server of one connection that holds the answer with this number back until it is told to go on."""

    def __init__(self, stalls_at: int | None = None, answer: bytes = HEAD + b"ok") -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._stalls_at = stalls_at
        self._answer = answer
        self.go_on = threading.Event()
        self.stalled = threading.Event()
        self.asked = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            while connection.recv(4096):
                self.asked += 1
                if self.asked == self._stalls_at:
                    self.stalled.set()
                    self.go_on.wait(60)
                # In two pieces, as large answers arrive.
                connection.sendall(self._answer[:30])
                connection.sendall(self._answer[30:])

    def close(self) -> None:
        self.go_on.set()
        self._thread.join(60)
        self._listener.close()


def test_all_requests_are_sent_and_each_answer_is_counted_once():
    server = StallingServer()
    found = OpenLoop(server.port, 1, 200.0, lambda: REQUEST).run(0.5)
    server.close()
    # One more was the first answer of the connection, before the time counts.
    assert (found.requests, server.asked, found.errors) == (100, 101, 0)
    assert 0 < found.p50 <= found.p99


def test_a_stall_counts_for_the_requests_that_were_due_meanwhile():
    server = StallingServer(stalls_at=2)
    timer = threading.Timer(1.0, server.go_on.set)
    starter = threading.Thread(target=lambda: server.stalled.wait(60) and timer.start())
    starter.start()
    found = OpenLoop(server.port, 1, 100.0, lambda: REQUEST).run(0.5)
    server.close()
    starter.join()
    # A closed loop would have seen one long wait among fifty. All of these were due in the first half second.
    assert found.p50 > 500
    assert found.errors == 0


def test_refusals_are_errors():
    refusing = StallingServer(answer=HEAD.replace(b"200 OK", b"503 No") + b"no")
    found = OpenLoop(refusing.port, 1, 100.0, lambda: REQUEST).run(0.1)
    refusing.close()
    assert found.errors == 10


def test_the_length_of_an_answer_is_head_and_body():
    assert answer_length(HEAD + b"ok") == len(HEAD) + 2
    assert answer_length(HEAD.replace(b"Content-Length: 2", b"content-length: 10") + b"o") == len(HEAD) + 11
    assert answer_length(HEAD[:-1]) is None
    with pytest.raises(ValueError, match="without Content-Length"):
        answer_length(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
