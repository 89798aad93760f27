"""Connections up to the first byte of HTTP: shares, limits, lack of descriptors, and what is left of failures."""

import asyncio
import contextlib
import errno
import os
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import uvloop
from tornado.web import Application, RequestHandler

from flexiapi.server import accepting, http_server
from flexiapi.server.accepting import Acceptor
from flexiapi.server.entrance import Entrance, Peer
from flexiapi.server.http1.limits import HttpLimits
from flexiapi.server.http_server import HttpServer
from flexiapi.server.shares import ConnectionShares, free_slot, shares_table
from tests.kit.doors import LOOPBACK, Door, heard, open_sockets, proxy_header, until

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


ROOT = Path(__file__).parents[2]

TAKER = """
import asyncio, socket, sys, uvloop
from flexiapi.server.shares import ConnectionShares
from tests.kit.doors import Door

async def take():
    listener, table, slot = map(int, sys.argv[1:])
    door = Door(listener=socket.socket(fileno=listener), shares=ConnectionShares(table, slot))
    print("ready", flush=True)
    while await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        print(len(door.open), flush=True)

uvloop.run(take())
"""
"""A process that takes connections, and tells their number when it is asked."""


@pytest.fixture(params=LOOPS, ids=["asyncio", "uvloop"])
def run(request):
    """Runs a test's coroutine, whose first argument makes doors, and checks that no descriptor is left."""

    def runs(test):
        async def inside():
            doors, problems = [], []
            asyncio.get_running_loop().set_exception_handler(lambda _loop, context: problems.append(context))

            def door(*args, **options):
                doors.append(Door(*args, **options))
                return doors[-1]

            before = open_sockets()
            async with asyncio.timeout(120):
                await test(door)
                for made in doors:
                    await made.end()
                await until(lambda: open_sockets() <= before)
            assert problems == []

        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(inside())

    return runs


@pytest.fixture
def tls(authority):
    """Contexts of a server and of its clients."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(authority.certificate_file, authority.key_file)
    return server, ssl.create_default_context(cafile=authority.ca_file)


def test_a_client_is_known_by_its_address_and_scheme(run):
    async def test(door):
        site = door()
        assert await site.greeting() == "127.0.0.1 http"
        assert site.acceptor.accepted_at > 0
        assert site.acceptor.is_open

    run(test)


def test_a_client_on_a_unix_socket_is_a_process_of_this_host(run, folder):
    async def test(door):
        assert await door(folder / "sock").greeting() == "unix http"

    run(test)


def test_a_small_answer_is_not_held_back(run):
    async def test(door):
        site = door()
        with site.connected() as client:
            await heard(client)
            accepted = site.open[0].transport.get_extra_info("socket")
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    run(test)


def test_a_client_with_tls_is_known_as_such(run, tls):
    server, client = tls

    async def test(door):
        site = door(tls=server)
        reader, writer = await asyncio.open_connection(*site.address, ssl=client)
        assert await reader.readline() == b"127.0.0.1 https\n"
        writer.close()
        await writer.wait_closed()

    run(test)


def test_a_client_behind_the_proxy_protocol_and_tls_is_known_by_the_header(run, tls):
    server, trusting = tls

    async def test(door):
        site = door(tls=server, proxy_protocol=LOOPBACK)
        raw = site.connected(proxy_header("192.0.2.7"))
        reader, writer = await asyncio.open_connection(sock=raw, ssl=trusting, server_hostname="localhost")
        assert await reader.readline() == b"192.0.2.7 https\n"
        writer.close()
        await writer.wait_closed()

    run(test)


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b"\0" * 200])
def test_a_failed_handshake_leaves_neither_descriptor_nor_trace(run, tls, first):
    async def test(door):
        site = door(tls=tls[0])
        for _ in range(5):
            with site.connected(first) as client:
                await until(lambda: site.acceptor.accepted_at)
                client.shutdown(socket.SHUT_WR)
                await heard(client)
        await until(lambda: not site.acceptor.handshakes)
        assert site.acceptor._open == 0

    run(test)


def test_a_client_that_does_not_begin_is_cut_off(run, tls):
    async def test(door):
        site = door(tls=tls[0], handshake_seconds=0.1)
        assert await site.greeting() == ""
        other = door(proxy_protocol=LOOPBACK, header_seconds=0.1)
        assert await other.greeting(proxy_header("192.0.2.7")[:20]) == ""
        await until(lambda: not site.acceptor.handshakes + other.acceptor.handshakes)

    run(test)


def test_a_protocol_that_cannot_be_made_ends_only_its_connection(run, caplog):
    async def test(door):
        site = door()
        made, site.acceptor._connected = site.acceptor._connected, lambda _peer: 1 / 0
        assert await site.greeting() == ""
        assert await site.greeting() == ""
        site.acceptor._connected = made
        assert await site.greeting() == "127.0.0.1 http"

    run(test)
    assert caplog.text.count("could not be handed over") == 1
    assert "Traceback" not in caplog.text


def test_those_over_the_cap_wait_until_one_is_closed_which_is_told(run, caplog):
    async def test(door):
        site = door(most=2)
        first, second, third = (site.connected() for _ in range(3))
        with first, second, third:
            assert [await heard(first), await heard(second)] == ["127.0.0.1 http"] * 2
            await until(lambda: site.asked_for_room)
            assert len(site.open) == 2
            waits = asyncio.ensure_future(heard(third))
            for _ in range(5):
                await asyncio.sleep(0)
            assert not waits.done()
            first.close()
            assert await waits == "127.0.0.1 http"
            assert site.asked_for_room == 1

    run(test)
    assert caplog.text.count("as many are open as there may be") == 1


def test_room_that_is_made_at_once_is_used_at_once(run):
    async def test(door):
        site = door(most=2)

        def make_room():
            site.open[0].transport.abort()

        site.acceptor._make_room = make_room
        clients = [site.connected() for _ in range(2)]
        for client in clients:
            await heard(client)
        assert await site.greeting() == "127.0.0.1 http"
        for client in clients:
            client.close()

    run(test)


def test_at_the_cap_those_that_never_began_make_room(run, tls, monkeypatch):
    monkeypatch.setattr(accepting, "_PATIENCE_SECONDS", 0)

    async def test(door):
        site = door(most=3, tls=tls[0])
        silent = [site.connected() for _ in range(3)]
        await until(lambda: site.acceptor.handshakes == 3)
        reader, writer = await asyncio.open_connection(*site.address, ssl=tls[1])
        assert await reader.readline() == b"127.0.0.1 https\n"
        writer.close()
        await writer.wait_closed()
        for client in silent:
            client.close()

    run(test)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_a_lack_of_descriptors_is_told_once_and_passes(run, caplog, monkeypatch, number):
    monkeypatch.setattr(accepting, "_PAUSE_SECONDS", 0.01)

    class Listener(socket.socket):
        """A listener of which the kernel refuses to accept, for some time."""

        tries = 0

        def accept(self):
            Listener.tries += 1
            if Listener.tries < 5:
                raise OSError(number, "no more")
            return super().accept()

    async def test(door):
        listener = Listener()
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        site = door(listener=listener)
        assert await site.greeting() == "127.0.0.1 http"
        assert Listener.tries < 20
        assert site.asked_for_room == 4

    run(test)
    assert caplog.text.count("connections wait") == 1


def test_a_connection_that_was_reset_in_the_queue_delays_no_other(run):
    class Listener(socket.socket):
        tries = 0

        def accept(self):
            Listener.tries += 1
            if Listener.tries == 1:
                raise ConnectionAbortedError(errno.ECONNABORTED, "gone")
            return super().accept()

    async def test(door):
        listener = Listener()
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        site = door(listener=listener)
        assert await site.greeting() == "127.0.0.1 http"
        assert site.asked_for_room == 0

    run(test)


@pytest.mark.parametrize(("slots", "share"), [(1, 1), (0, 64)])
def test_a_process_takes_its_share_of_a_queue_each_turn(run, slots, share):
    async def test(door):
        site = door(shares=ConnectionShares(shares_table(slots), 0) if slots else None)
        clients = [site.connected() for _ in range(70)]
        site.acceptor._accept(site.listener)
        assert site.acceptor.handshakes == share
        await until(lambda: len(site.open) == 70)
        for client in clients:
            client.close()

    run(test)


@pytest.mark.parametrize("turns", range(6))
def test_a_connection_that_is_given_up_while_it_is_handed_over_ends_for_its_protocol_too(run, turns):
    async def test(door):
        site = door()
        with site.connected():
            site.acceptor._accept(site.listener)
            for _ in range(turns):
                await asyncio.sleep(0)
            site.acceptor.abandon()
            await until(lambda: not site.acceptor.handshakes)
            for greeter in list(site.open):
                greeter.transport.abort()
            await until(lambda: not site.open)

    run(test)


def test_two_processes_take_an_even_share_of_a_burst():
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=256))
        table = shares_table(2)
        takers = [stack.enter_context(taker(listener, table, slot)) for slot in range(2)]
        for process in takers:
            assert process.stdout.readline() == b"ready\n"
        shares = [burst(listener.getsockname(), takers) for _ in range(9)]
        for process in takers:
            process.stdin.close()
    assert all(sum(share) == 64 for share in shares)
    # The median, since a process that another program keeps from its core for long takes nothing meanwhile.
    assert sorted(map(min, shares))[4] >= 28, shares


def test_a_process_that_takes_nothing_holds_no_other_up(run):
    async def test(door):
        table = shares_table(2)
        ConnectionShares(table, 1).note(0)
        site = door(shares=ConnectionShares(table, 0))
        clients = [site.connected() for _ in range(40)]
        assert [await heard(client) for client in clients] == ["127.0.0.1 http"] * 40
        for client in clients:
            client.close()
        os.close(table)

    run(test)


def test_a_process_that_takes_its_own_is_left_to_take_them(run, monkeypatch):
    monkeypatch.setattr(accepting, "_MOST_HOLDS", 1000)
    monkeypatch.setattr(accepting, "_REGARDLESS_SECONDS", 1000)

    async def test(door):
        table = shares_table(2)
        other = ConnectionShares(table, 1)
        site = door(shares=ConnectionShares(table, 0))
        clients = [site.connected() for _ in range(10)]
        await until(lambda: len(site.open) == 10)
        for count in range(5):
            other.note(count)
            clients.append(site.connected())
            await until(lambda: site.acceptor._hold is not None)
            assert len(site.open) == 10
        other.note(10)
        await until(lambda: len(site.open) == 13)
        assert site.acceptor._regardless_until == 0
        other.note(None)
        await until(lambda: len(site.open) == 15)
        for client in clients:
            client.close()
        os.close(table)

    run(test)


def test_a_process_leaves_connections_to_one_that_has_fewer_and_accepts(run):
    async def test(door):
        table = shares_table(2)
        own, other = (ConnectionShares(table, slot) for slot in range(2))
        site = door(shares=own)
        clients = [site.connected() for _ in range(8)]
        await until(lambda: len(site.open) == 8)
        other.note(0)
        assert own.is_ahead()
        assert not other.is_ahead()
        other.note(None)
        assert not own.is_ahead()
        other.note(7)
        assert not own.is_ahead()
        site.acceptor.stop()
        other.note(100)
        assert not other.is_ahead()
        for client in clients:
            client.close()
        os.close(table)

    run(test)


def test_slots_of_processes_that_ended_are_used_again():
    assert [free_slot(used) for used in (set(), {0, 1}, {1, 2}, {0, 2})] == [0, 2, 0, 1]


def taker(listener, table, slot):
    descriptors = [listener.fileno(), table]
    command = [sys.executable, "-c", TAKER, *map(str, (*descriptors, slot))]
    return subprocess.Popen(command, cwd=ROOT, pass_fds=descriptors, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def burst(address, takers):
    """The numbers of connections that each process took of 64 that were opened at once, and then closed."""
    clients = [socket.create_connection(address) for _ in range(64)]
    for client in clients:
        assert client.recv(100)
    counts = [asked(process) for process in takers]
    for client in clients:
        client.close()
    while any(asked(process) for process in takers):
        pass
    return counts


def asked(process):
    process.stdin.write(b"count\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def test_a_stop_takes_what_waits_in_a_queue_that_takes_no_more(run):
    from flexiapi.server.listening import refuse_connections

    async def test(door):
        site = door(shares=ConnectionShares(shares_table(2), 0))
        clients = [site.connected() for _ in range(20)]
        refuse_connections(site.listener)
        site.acceptor.stop()
        assert not site.acceptor.is_open
        assert [await heard(client) for client in clients] == ["127.0.0.1 http"] * 20
        for client in clients:
            client.close()

    run(test)


def test_a_stop_of_one_process_leaves_the_queue_to_the_others(run):
    async def test(door):
        site = door(shares=ConnectionShares(shares_table(2), 0))
        with socket.socket(fileno=socket.dup(site.listener.fileno())) as same, site.connected() as client:
            site.acceptor.stop()
            other = door(listener=socket.socket(fileno=socket.dup(same.fileno())))
            assert await heard(client) == "127.0.0.1 http"
            assert len(other.open) == 1

    run(test)


def test_a_unix_socket_that_takes_no_more_does_not_keep_the_loop_busy(run, folder):
    from flexiapi.server.listening import refuse_connections

    async def test(door):
        site = door(folder / "sock")
        with site.connected() as client:
            await heard(client)
            refuse_connections(site.listener)
            await asyncio.sleep(0.05)
            assert not asyncio.get_running_loop().remove_reader(site.listener)

    run(test)


def test_a_peer_is_the_context_that_tornado_reads():
    from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

    class Connection:
        context = Peer("192.0.2.1", "https")

    line = RequestStartLine("GET", "/", "HTTP/1.1")
    request = HTTPServerRequest(connection=Connection(), start_line=line, headers=HTTPHeaders({"Host": "x"}))
    assert (request.remote_ip, request.protocol) == ("192.0.2.1", "https")


def test_nothing_is_accepted_of_a_paused_acceptor_until_the_pause_is_over():
    async def test():
        acceptor = Acceptor(lambda _: None, Entrance(), most=1, make_room=lambda: None)
        acceptor._is_full = True
        with socket.create_server(("127.0.0.1", 0)) as listener:
            acceptor.add_socket(listener)
            assert not asyncio.get_running_loop().remove_reader(listener)

    asyncio.run(test())


def test_a_unix_socket_that_stops_loses_no_request_and_takes_no_more(run, folder, monkeypatch):
    monkeypatch.setattr(http_server, "_FIRST_REQUEST_SECONDS", 120)
    path = folder / "sock"

    class Page(RequestHandler):
        def get(self):
            self.write("hello\n")

    async def test(_door):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen(64)
        server = HttpServer(Application([("/", Page)]))
        server.add_socket(listener)
        clients = [connected(path) for _ in range(10)]
        stopped = asyncio.ensure_future(server.finish(no_requests, 120))
        await asyncio.sleep(0)
        with pytest.raises(ConnectionRefusedError):
            connected(path)
        loop = asyncio.get_running_loop()
        for client in clients:
            await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while part := await loop.sock_recv(client, 4096):
                answer += part
            assert answer.endswith(b"hello\n")
            client.close()
        await stopped

    run(test)


def test_large_bodies_go_both_ways_through_tls_to_a_slow_client(run, tls):
    body = os.urandom(6_000_000)

    class Echo(RequestHandler):
        def post(self):
            self.write(self.request.body)

    async def test(_door):
        listener = socket.create_server(("127.0.0.1", 0))
        server = HttpServer(Application([("/", Echo)]), entrance=Entrance(tls=tls[0]))
        server.add_socket(listener)
        reader, writer = await asyncio.open_connection(*listener.getsockname(), ssl=tls[1], limit=1024)
        for _ in range(2):
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            assert b" 200 " in head
            assert await reader.readexactly(len(body)) == body
        writer.close()
        await writer.wait_closed()
        await server.finish(no_requests, 60)

    run(test)


class Greeting(RequestHandler):
    def get(self, size="5"):
        self.write(b"x" * int(size))


def greeter(tls, **options):
    """A server with TLS that waits long for the end of handshakes and connections."""
    listener = socket.create_server(("127.0.0.1", 0))
    pages = Application([("/", Greeting), ("/([0-9]+)", Greeting)])
    entrance = Entrance(tls=tls[0], handshake_seconds=1000, farewell_seconds=1000)
    server = HttpServer(pages, HttpLimits(write_seconds=1000), entrance, **options)
    server.add_socket(listener)
    return server, listener.getsockname()


def held(address, tls):
    """A connection of a client that reads no more after its first answer, not even the end of TLS."""
    client = tls[1].wrap_socket(socket.create_connection(address), server_hostname="localhost")
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
    return client


def test_tls_clients_that_keep_idle_connections_delay_no_stop(run, tls):
    async def test(_door):
        server, address = greeter(tls)
        with await asyncio.to_thread(held, address, tls):
            await server.finish(no_requests, 1000)

    run(test)


def test_at_the_cap_idle_tls_clients_make_room(run, tls, monkeypatch):
    monkeypatch.setattr(http_server, "_KEPT_ALIVE_SECONDS", 0)

    async def test(_door):
        server, address = greeter(tls, most_connections=2)
        with await asyncio.to_thread(held, address, tls), await asyncio.to_thread(held, address, tls):
            (await asyncio.to_thread(held, address, tls)).close()
        await server.finish(no_requests, 1000)

    run(test)


def test_at_the_cap_silent_tls_clients_make_room_also_later(run, tls, monkeypatch):
    monkeypatch.setattr(accepting, "_PATIENCE_SECONDS", 1000)
    monkeypatch.setattr(http_server, "_FIRST_REQUEST_SECONDS", 0)

    async def test(_door):
        server, address = greeter(tls, most_connections=2)
        with socket.create_connection(address), socket.create_connection(address):
            (await asyncio.to_thread(held, address, tls)).close()
        await server.finish(no_requests, 1000)

    run(test)


def test_at_the_cap_slow_heads_make_room_and_are_told(run, monkeypatch):
    monkeypatch.setattr(http_server, "_FIRST_REQUEST_SECONDS", 0)

    async def test(_door):
        listener = socket.create_server(("127.0.0.1", 0))
        limits = HttpLimits(header_seconds=1000, linger_seconds=0)
        server = HttpServer(Application([("/", Greeting)]), limits, most_connections=2)
        server.add_socket(listener)
        slow = [await asyncio.open_connection(*listener.getsockname()) for _ in range(2)]
        for _, writer in slow:
            writer.write(b"GET / HT")
        await until(lambda: sum(each.intake.has_begun for each in server._open) == 2)
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        assert (await slow[0][0].readline()).startswith(b"HTTP/1.1 408 ")
        for _, client in (*slow, (reader, writer)):
            client.close()
        await server.finish(no_requests, 1000)

    run(test)


def test_a_last_answer_over_tls_is_not_cut_while_it_is_read(run, tls):
    async def test(_door):
        server, address = greeter(tls)
        reader, writer = await asyncio.open_connection(*address, ssl=tls[1], server_hostname="localhost", limit=1024)
        writer.write(b"GET /9000000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        loop, passed = asyncio.get_running_loop(), 0
        server.now = lambda: loop.time() + passed
        for _ in range(5):
            passed += 10
            server._end_overdue()
            await asyncio.sleep(0.05)
        assert await reader.readexactly(9_000_000) == b"x" * 9_000_000
        writer.close()
        await server.finish(no_requests, 1000)

    run(test)


async def no_requests():
    """Do not wait for requests under way."""


def connected(path):
    client = socket.socket(socket.AF_UNIX)
    try:
        client.connect(str(path))
    except OSError:
        client.close()
        raise
    client.setblocking(False)
    return client
