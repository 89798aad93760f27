"""The PROXY protocol: the header that front servers must send, the one that others must not, and wrong ones."""

import asyncio
import socket
from ipaddress import ip_network

import pytest

from tests.kit.doors import LOOPBACK, SIGNATURE, Door, heard, proxy_header, until

ELSEWHERE = (ip_network("192.0.2.0/24"),)
# The extension of HAProxy that tells of TLS, and one of no meaning.
EXTENSIONS = b"\x20\x00\x05\x01\x00\x00\x00\x00" + b"\xee\x00\x03abc"


def told(first, *, path=None, then=b"", **entry):
    """The line that a client with this beginning is sent; empty if it is cut off."""

    async def inside():
        async with asyncio.timeout(60):
            door = Door(path, **{"proxy_protocol": LOOPBACK, **entry})
            with door.connected(first) as client:
                if then:
                    await until(lambda: door.acceptor.handshakes or door.open)
                    client.sendall(then)
                line = await heard(client)
            await door.end()
        return line

    return asyncio.run(inside())


@pytest.mark.parametrize(
    ("header", "line"),
    [
        (proxy_header("192.0.2.7"), "192.0.2.7 http"),
        (proxy_header("2001:db8::7"), "2001:db8::7 http"),
        (proxy_header("::ffff:192.0.2.7"), "192.0.2.7 http"),
        (proxy_header("192.0.2.7", extensions=EXTENSIONS), "192.0.2.7 http"),
        (proxy_header("192.0.2.7", extensions=b"\xee\x0f\xf1" + b"x" * 4081), "192.0.2.7 http"),
        (proxy_header(command=0), "127.0.0.1 http"),
        (proxy_header("192.0.2.7", command=0), "127.0.0.1 http"),
        (proxy_header(command=0, family=0xFF, extensions=EXTENSIONS), "127.0.0.1 http"),
        (proxy_header(), "unknown http"),
        (proxy_header(extensions=EXTENSIONS), "unknown http"),
        (proxy_header(family=0x31, extensions=b"/x".ljust(216, b"\0")), "unknown http"),
    ],
    ids=[
        *("IPv4", "IPv6", "IPv4 in IPv6", "with extensions", "longest"),
        *("local", "local with addresses", "local with any family"),
        *("unspecified", "unspecified with extensions", "unix"),
    ],
)
def test_a_header_names_the_client(header, line):
    assert told(header) == line


@pytest.mark.parametrize(
    "first",
    [
        b"PROXY TCP4 192.0.2.7 192.0.2.1 5060 443\r\nGET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 20,
        SIGNATURE[:-1] + b"\0" + proxy_header("192.0.2.7")[12:],
        proxy_header("192.0.2.7", version=1),
        proxy_header("192.0.2.7", version=3),
        proxy_header("192.0.2.7", command=2),
        proxy_header("192.0.2.7", family=0x12),
        proxy_header("192.0.2.7", family=0x10),
        proxy_header("192.0.2.7", family=0x41),
        proxy_header("192.0.2.7", family=0x01),
        proxy_header("192.0.2.7", family=0x21),
        proxy_header("192.0.2.7", family=0x31),
        proxy_header("192.0.2.7", size=11),
        proxy_header("2001:db8::7", size=35),
        proxy_header("192.0.2.7", size=4097),
        proxy_header("192.0.2.7", size=65535) + b"x" * 10000,
    ],
    ids=[
        *("version 1", "no header", "TLS", "another signature", "version byte 1", "version byte 3", "command 2"),
        *("datagrams", "no transport", "another family", "no family", "short for IPv6", "short for unix"),
        *("short", "short of IPv6", "long", "longest"),
    ],
)
def test_a_listed_front_server_without_a_right_header_is_cut_off_and_told_of_once(first, caplog):
    assert told(first) == ""
    lines = [record for record in caplog.records if "PROXY header" in record.getMessage()]
    assert len(lines) == 1
    assert "Traceback" not in caplog.text


def test_many_wrong_headers_are_one_line(caplog):
    async def inside():
        async with asyncio.timeout(60):
            door = Door(proxy_protocol=LOOPBACK)
            for _ in range(20):
                assert await door.greeting(b"GET / HTTP/1.1\r\n\r\n") == ""
            await door.end()

    asyncio.run(inside())
    assert caplog.text.count("PROXY header") == 1


@pytest.mark.parametrize("size", [1, 12, 15, 16, 20, 27])
def test_a_header_that_ends_too_early_is_cut_off(size, caplog):
    async def inside():
        async with asyncio.timeout(60):
            door = Door(proxy_protocol=LOOPBACK)
            with door.connected(proxy_header("192.0.2.7")[:size]) as client:
                client.shutdown(socket.SHUT_WR)
                assert await heard(client) == ""
            await door.end()

    asyncio.run(inside())
    assert "the connection ended within the header" in caplog.text


def test_a_check_of_the_port_is_not_told_of(caplog):
    async def inside():
        async with asyncio.timeout(60):
            door = Door(proxy_protocol=LOOPBACK)
            door.connected().close()
            await until(lambda: door.acceptor.accepted_at and not door.acceptor.handshakes)
            await door.end()

    asyncio.run(inside())
    assert "PROXY header" not in caplog.text


@pytest.mark.parametrize("split", range(1, 28))
def test_a_header_may_come_in_pieces(split):
    header = proxy_header("192.0.2.7")
    assert told(header[:split], then=header[split:]) == "192.0.2.7 http"


def test_not_a_byte_of_what_follows_is_taken():
    async def inside():
        async with asyncio.timeout(60):
            door = Door(proxy_protocol=LOOPBACK)
            with door.connected(proxy_header("192.0.2.7", extensions=EXTENSIONS) + b"GET / HTTP/1.1\n") as client:
                loop, answer = asyncio.get_running_loop(), b""
                while answer.count(b"\n") < 2:
                    answer += await loop.sock_recv(client, 4096)
            await door.end()
        return answer

    assert asyncio.run(inside()) == b"192.0.2.7 http\nGET / HTTP/1.1\n"


def test_a_header_of_others_is_left_to_http():
    header = proxy_header("192.0.2.7")
    assert told(header, proxy_protocol=ELSEWHERE) == "127.0.0.1 http"
    assert told(header, proxy_protocol=("unix",)) == "127.0.0.1 http"
    assert told(header, proxy_protocol=()) == "127.0.0.1 http"


def test_a_unix_socket_is_listed_by_its_word_alone(folder):
    header = proxy_header("192.0.2.7")
    assert told(header, path=folder / "1", proxy_protocol=("unix",)) == "192.0.2.7 http"
    assert told(header, path=folder / "2", proxy_protocol=LOOPBACK) == "unix http"
    assert told(proxy_header(command=0), path=folder / "3", proxy_protocol=("unix",)) == "unix http"
    assert told(proxy_header(), path=folder / "4", proxy_protocol=("unix",)) == "unknown http"
    assert told(b"GET / HTTP/1.1\r\n\r\n", path=folder / "5", proxy_protocol=("unix",)) == ""
