import asyncio
import socket
import threading
import time
from datetime import timedelta

import pytest

from flexiapi.errors import SipUnavailable, ValidationFailed
from flexiapi.flexisip.linphone_daemon import LinphoneDaemon

UNCONNECTED = "[sip]\nsip_port=-1\nsip_tcp_port=-1\nsip_tls_port=-1\n"
BOB = "bob@127.0.0.1"


class Daemon:
    """A unix socket server that gives one answer per connection: text, None for silence, or a way to hang up."""

    def __init__(self, path, answers):
        self.path, self.answers, self.commands = path, list(answers), []
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen()
        self.silent = []
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        # Shut down first: a test that fails early must not leave the thread waiting for a client.
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        finally:
            self.thread.join(60)
            for connection in [*self.silent, self.socket]:
                connection.close()

    def serve(self):
        for answer in self.answers:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            if answer == "busy":
                connection.close()
                continue
            self.commands.append(connection.recv(65536).decode())
            if answer is None:
                self.silent.append(connection)
                continue
            with connection:
                for part in answer.split("|"):
                    connection.sendall(part.encode())
                    time.sleep(0.01)


def send(path, to=BOB, body="Hello", timeout=30.0):
    return asyncio.run(LinphoneDaemon(path, timedelta(seconds=timeout)).send(to, body))


def test_a_real_daemon_takes_messages_one_after_the_other(linphone_daemon):
    daemon = linphone_daemon("sender", UNCONNECTED)

    async def scenario():
        sender, other_process = LinphoneDaemon(daemon.unix_socket), LinphoneDaemon(daemon.unix_socket)
        await sender.check()
        bodies = ["one", "two  é ", "x" * 16384, "last\n"]
        sent = [
            each.send(to, body) for body in bodies for each in (sender, other_process) for to in (BOB, f"sip:{BOB}")
        ]
        identifiers = await asyncio.gather(*sent)
        await sender.close()
        return identifiers

    identifiers = asyncio.run(scenario())
    assert len(set(identifiers)) == 16
    assert all(identifiers)


def test_the_reason_of_a_refusal_is_told_as_an_error_of_the_address(folder):
    with Daemon(folder / "s", ["Status: Error\n|Reason: Bad sip uri.\n", "Status: Ok\n\n\n"]):
        with pytest.raises(ValidationFailed) as refusal:
            send(folder / "s")
        assert refusal.value.errors == {"to": ["Bad sip uri."]}
        with pytest.raises(ValidationFailed) as refusal:
            send(folder / "s")
        assert refusal.value.errors == {"to": ["The linphone-daemon refused the message."]}


def test_the_identifier_comes_from_the_answer_also_in_parts(folder):
    with Daemon(folder / "s", ["Status: Ok\n|\nId: S7inm|wygM~\n\n"]) as daemon:
        assert send(folder / "s", body="Héllo you") == "S7inmwygM~"
    assert daemon.commands == ["message sip:bob@127.0.0.1 Héllo you\n"]


def test_waits_for_its_turn_while_the_daemon_serves_another(folder):
    with Daemon(folder / "s", ["busy", "busy", "Status: Ok\n\nId: a\n\n"]) as daemon:
        assert send(folder / "s") == "a"
    assert len(daemon.commands) == 1


def test_a_daemon_that_dies_over_a_message_is_not_given_it_again(folder):
    with Daemon(folder / "s", ["", "Status: Ok\n\nId: b\n\n"]) as daemon, pytest.raises(SipUnavailable):
        send(folder / "s")
    assert len(daemon.commands) == 1


def test_silence_and_absence_make_it_unavailable(folder):
    with Daemon(folder / "s", [None]), pytest.raises(SipUnavailable):
        send(folder / "s", timeout=0.2)
    with pytest.raises(SipUnavailable):
        send(folder / "s")
    with pytest.raises(SipUnavailable):
        asyncio.run(LinphoneDaemon(folder / "none").check())


@pytest.mark.parametrize("body", ["two\nlines", "two\rlines", "nul\0", "\nsecond"])
def test_bodies_that_the_daemon_would_cut_are_refused(folder, body):
    with pytest.raises(ValidationFailed) as refusal:
        send(folder / "none", body=body)
    assert list(refusal.value.errors) == ["body"]


def test_half_a_surrogate_pair_is_refused(folder):
    with pytest.raises(ValidationFailed) as refusal:
        send(folder / "none", body="\ud800")
    assert list(refusal.value.errors) == ["body"]


@pytest.mark.parametrize("to", ["bob", "+badid", "bob@example.org\nquit", "bob@example.org x"])
def test_what_is_no_address_never_reaches_the_daemon(folder, to):
    with pytest.raises(ValidationFailed) as refusal:
        send(folder / "none", to=to)
    assert list(refusal.value.errors) == ["to"]
