import asyncio
import re

import pytest

from flexiapi.errors import ConfigurationError, SipUnavailable, ValidationFailed
from flexiapi.flexisip.sip_message import SipMessageSender
from flexiapi.flexisip.sip_transaction import Timers
from flexiapi.flexisip.sip_transport import Proxy, Stream
from flexiapi.settings import FlexisipSettings
from tests.kit.ports import free_port

pytestmark = pytest.mark.long

BOB = "bob@sip.example.org"
QUICK = Timers(t1=0.05, t2=0.16)
PATIENT = Timers(t1=0.2, t2=0.5)
MD5 = 'Proxy-Authenticate: Digest realm="sip.example.org",nonce="n1",algorithm=MD5,qop="auth"'


def sender(proxy, user="api", timers=None, **more):
    more = {"message_seconds": 60, "sender_password": "secret"} | more
    section = FlexisipSettings(proxy=proxy, sender=f"{user}@sip.example.org", **more)
    return SipMessageSender(section, timers) if timers else SipMessageSender(section)


def send(proxy, body="Hello", to=BOB, **more):
    return asyncio.run(sender(proxy, **more).send(to, body))


def to_sipp(server, body="Hello", transport="udp", **more):
    return send(f"sip:127.0.0.1:{server.port};transport={transport}", body, **more)


def header(request, name):
    return re.search(rf"^{name}: (.*?)\r?$", request, re.MULTILINE)[1]


def refusal(kind, *args, **more):
    with pytest.raises(kind) as failure:
        to_sipp(*args, **more)
    return failure.value


# Through a real proxy to a real user agent.


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_message_arrives_and_its_identifier_is_the_call_id(kamailio, linphone_daemon, transport):
    proxy = kamailio()
    bob = linphone_daemon("bob", proxy.agent("bob", transport)).registered()
    body = "Hello\nBob, ça va ? \U0001f600"
    identifier = send(proxy.uri(transport), body, tls_ca_file=proxy.authority.ca_file)
    assert bob.received(identifier) == body
    long_body = "é" * 2000
    identifier = send(proxy.uri(transport), long_body, to=f"sip:{BOB}", tls_ca_file=proxy.authority.ca_file)
    assert bob.received(identifier) == long_body


def test_answers_sha_256_challenges_of_a_real_proxy(kamailio, linphone_daemon):
    proxy = kamailio(modules='modparam("auth", "algorithm", "SHA-256")')
    bob = linphone_daemon("bob", proxy.agent("bob")).registered()
    assert bob.received(send(proxy.uri("udp"))) == "Hello"


def test_what_a_real_proxy_refuses_is_told(kamailio):
    proxy = kamailio().uri("udp")
    with pytest.raises(ValidationFailed) as nobody:
        send(proxy, to="nobody@sip.example.org")
    assert nobody.value.errors == {"to": ["The SIP server answered: 404 Not Found."]}
    with pytest.raises(ValidationFailed) as forbidden:
        send(proxy, user="mallory")
    assert forbidden.value.errors == {"to": ["The SIP server answered: 403 Forbidden."]}


def test_wrong_credentials_are_the_servers_trouble_not_the_callers(kamailio):
    for password in (None, "wr0ng"):
        section = FlexisipSettings(proxy=kamailio().uri("tcp"), sender="api@sip.example.org", sender_password=password)
        with pytest.raises(SipUnavailable, match="credentials") as failure:
            asyncio.run(SipMessageSender(section).send(BOB, "Hello"))
        assert "wr0ng" not in repr(failure.value)


def test_the_proxy_must_have_a_trusted_certificate_of_its_own_name(kamailio):
    proxy = kamailio()
    with pytest.raises(SipUnavailable):
        asyncio.run(sender(proxy.uri("tls")).check())
    trusting = {"tls_ca_file": proxy.authority.ca_file}
    asyncio.run(sender(f"sips:localhost:{proxy.tls_port}", **trusting).check())
    with pytest.raises(SipUnavailable):
        # Another name of 127.0.0.1, which the certificate does not have.
        asyncio.run(sender(f"sips:127.1:{proxy.tls_port}", **trusting).check())


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_the_check_asks_a_real_proxy_and_needs_no_credentials(kamailio, transport):
    proxy = kamailio()
    asyncio.run(sender(proxy.uri(transport), tls_ca_file=proxy.authority.ca_file).check())


def test_many_messages_at_once_have_identifiers_of_their_own(kamailio, linphone_daemon):
    proxy = kamailio()
    bob = linphone_daemon("bob", proxy.agent("bob")).registered()

    async def scenario():
        one = sender(proxy.uri("udp"))
        return await asyncio.gather(*(one.send(BOB, f"Message {number}") for number in range(20)))

    identifiers = asyncio.run(scenario())
    assert [bob.received(identifier) for identifier in identifiers] == [f"Message {number}" for number in range(20)]


# Odd answers, played by sipp.


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_message_that_is_kept_for_later_is_accepted(sipp, transport):
    server = sipp("100 Trying", "180 Ringing", "202 Accepted", transport=transport)
    identifier = to_sipp(server, transport=transport)
    request = server.requests()[0]
    assert request.startswith("MESSAGE sip:bob@sip.example.org SIP/2.0")
    assert header(request, "Call-ID") == identifier
    assert header(request, "From").startswith("<sip:api@sip.example.org>;tag=")
    assert header(request, "Content-Type") == "text/plain;charset=UTF-8"
    assert "Contact:" not in request
    assert request.rstrip().endswith("Hello")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_silence_makes_sip_unavailable(sipp, transport):
    server = sipp("recv", "recv", "recv", "recv", "recv", "recv", "recv", "recv", "recv", transport=transport)
    refusal(SipUnavailable, server, transport=transport, timers=QUICK)
    assert (len(server.datagrams()) > 1) == (transport == "udp")


def test_the_deadline_ends_the_wait_before_the_transaction_does(sipp):
    refusal(SipUnavailable, sipp("100 Trying"), timers=Timers(t1=100, t2=100), message_seconds=0.3)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(
    ("challenge", "answer"),
    [
        ("407 Denied\n" + MD5, "Proxy-Authorization"),
        ("401 Denied\nWWW-" + MD5.removeprefix("Proxy-"), "Authorization"),
    ],
)
def test_a_challenge_is_answered_in_a_new_transaction_of_the_same_call(sipp, challenge, answer, transport):
    server = sipp(challenge, "recv", "200 OK", transport=transport)
    to_sipp(server, transport=transport)
    first, second = server.requests()
    assert header(first, "Call-ID") == header(second, "Call-ID")
    assert header(first, "From") == header(second, "From")
    assert (header(first, "CSeq"), header(second, "CSeq")) == ("1 MESSAGE", "2 MESSAGE")
    assert header(first, "Via") != header(second, "Via")
    assert "secret" not in second
    assert 'uri="sip:bob@sip.example.org"' in header(second, answer)


def test_a_stale_nonce_is_replaced_once(sipp):
    stale = f"407 Denied\n{MD5.replace('n1', 'n2')},stale=true"
    server = sipp("407 Denied\n" + MD5, "recv", stale, "recv", "200 OK")
    to_sipp(server)
    assert 'nonce="n2"' in header(server.requests()[2], "Proxy-Authorization")
    server = sipp("407 Denied\n" + MD5, "recv", stale, "recv", stale)
    assert "credentials" in str(refusal(SipUnavailable, server))
    assert len(server.requests()) == 3
    server = sipp("407 Denied\n" + MD5, "recv", "407 Denied\n" + MD5)
    refusal(SipUnavailable, server)
    assert len(server.requests()) == 2


def test_the_strongest_known_algorithm_is_answered(sipp):
    offers = [MD5, MD5.replace("MD5", "SHA-512-256"), MD5.replace("MD5", "SHA-256"), "Proxy-Authenticate: Bearer x"]
    server = sipp("\n".join(["407 Denied", *offers]), "recv", "200 OK")
    to_sipp(server)
    assert "algorithm=SHA-256" in header(server.requests()[1], "Proxy-Authorization")


@pytest.mark.parametrize(
    "offer",
    [
        "Proxy-Authenticate: Bearer x",
        'Proxy-Authenticate: Digest nonce="n"',
        MD5.replace("MD5", "SHA3"),
        MD5.replace('"auth"', '"auth-int"'),
        "X-Nothing: offered",
    ],
)
def test_a_challenge_that_cannot_be_answered_ends_it(sipp, offer):
    server = sipp(f"407 Denied\n{offer}")
    refusal(SipUnavailable, server)
    assert len(server.requests()) == 1


@pytest.mark.parametrize("status", ["500 Server Error", "503 Service Unavailable", "408 Request Timeout"])
def test_trouble_of_the_server_makes_sip_unavailable(sipp, status):
    refusal(SipUnavailable, sipp(status))


@pytest.mark.parametrize("status", ["302 Moved", "403 Forbidden", "480 Temporarily Unavailable", "603 Decline", "404"])
def test_a_refusal_is_told_as_an_error_of_the_address(sipp, status):
    assert refusal(ValidationFailed, sipp(status)).errors == {"to": [f"The SIP server answered: {status}."]}


@pytest.mark.parametrize("status", ["413 Request Entity Too Large", "513 Message Too Large"])
def test_a_message_that_is_too_large_is_an_error_of_the_body(sipp, status):
    assert list(refusal(ValidationFailed, sipp(status)).errors) == ["body"]


def test_garbage_and_answers_to_others_are_passed_over(sipp):
    other = "raw SIP/2.0 200 OK\nVia: SIP/2.0/UDP h;branch=z9hG4bKother\n[last_Call-ID:]\n[last_CSeq:]"
    other_method = "raw SIP/2.0 200 OK\n[last_Via:]\n[last_Call-ID:]\nCSeq: 1 OPTIONS"
    options = "raw OPTIONS sip:x SIP/2.0\n[last_Via:]\n[last_Call-ID:]\n[last_CSeq:]"
    server = sipp(
        "raw GARBAGE in, garbage out\nmore", "raw SIP/2.0 200 OK\nno header", other, other_method, options, "480 Away"
    )
    assert "480" in str(refusal(ValidationFailed, server))


def test_a_message_too_large_for_a_datagram_goes_over_tcp(sipp):
    server = sipp("200 OK", transport="tcp")
    to_sipp(server, body="x" * 1300)
    assert header(server.requests()[0], "Via").startswith("SIP/2.0/TCP ")
    refusal(SipUnavailable, sipp(transport="tcp"), body="small")


def test_a_large_message_goes_in_a_datagram_where_no_tcp_is(sipp):
    server = sipp("200 OK")
    to_sipp(server, body="x" * 1300)
    assert header(server.requests()[0], "Via").startswith("SIP/2.0/UDP ")


# No one listens there.


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_next_address_of_the_proxy_is_tried_where_nobody_listens_at_the_first(sipp, monkeypatch, transport):
    server = sipp("200 OK", transport=transport)

    async def addresses(_):
        # What a resolver may say of `localhost` is beyond a test's reach: often ::1 first, where sipp is not.
        return [("127.0.0.2", server.port), ("127.0.0.1", server.port)]

    monkeypatch.setattr(Proxy, "addresses", addresses)
    assert send(f"sip:localhost:{server.port};transport={transport}")


def test_a_proxy_is_reached_by_its_name(sipp):
    server = sipp("200 OK")
    assert send(f"sip:localhost:{server.port}")


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_an_absent_proxy_makes_sip_unavailable(transport):
    for proxy in (f"sip:127.0.0.1:{free_port()}", "sip:proxy.invalid:5060"):
        with pytest.raises(SipUnavailable):
            asyncio.run(sender(f"{proxy};transport={transport}").check())


# Answers that sipp does not play: bytes and their timing.


class Peer(asyncio.DatagramProtocol):
    """A UDP server that answers the nth datagram with the nth list of answers."""

    def __init__(self, *answers):
        self.answers, self.requests = list(answers), []

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.requests.append(data.decode())
        for answer in self.answers.pop(0) if self.answers else ():
            copied = "".join(f"{name}: {header(data.decode(), name)}\r\n" for name in ("Via", "CSeq"))
            self.transport.sendto(answer.replace(b"COPIED", copied.encode()), addr)

    def send(self, **more):
        async def scenario():
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
            try:
                port = transport.get_extra_info("sockname")[1]
                return await sender(f"sip:127.0.0.1:{port}", **{"timers": PATIENT} | more).send(BOB, "Hello")
            finally:
                transport.close()

        return asyncio.run(scenario())


OK = b"SIP/2.0 200 OK\r\nCOPIED\r\n"


def test_is_sent_again_over_udp_until_an_answer_comes():
    peer = Peer([], [], [], [OK])
    assert peer.send()
    assert len(peer.requests) >= 4
    assert len(set(peer.requests)) == 1


def test_is_sent_again_less_often_once_it_is_being_worked_on():
    class Late(Peer):
        """Answers finally after two seconds. Left alone, T1 would have doubled so often as to make five requests."""

        def connection_made(self, transport):
            super().connection_made(transport)
            asyncio.get_running_loop().call_later(2, self.accept)

        def accept(self):
            self.answers = [[OK]]
            self.datagram_received(self.requests.pop().encode(), self.sender)

        def datagram_received(self, data, addr):
            self.sender = addr
            super().datagram_received(data, addr)

    peer = Late([b"SIP/2.0 100 Trying\r\nCOPIED\r\n"])
    assert peer.send(timers=Timers(t1=0.1, t2=30))
    assert 2 <= len(peer.requests) <= 4


def test_datagrams_that_are_no_answer_are_passed_over():
    garbage = [
        b"",
        b"\r\n\r\n",
        b"\xff\xfe\0",
        b"SIP/2.0 200 OK",
        b"SIP/2.0 200 OK\r\nCOPIEDX: a\0b\r\n\r\n",
        b"x" * 9000,
    ]
    assert Peer([*garbage, OK.replace(b"200 OK", b"299 \xff")]).send()


def test_a_header_may_be_folded_and_in_its_short_form():
    folded = b'SIP/2.0 407 Denied\r\nCOPIEDProxy-Authenticate: Digest realm="r",\r\n  nonce="a\\"b"\r\n\r\n'
    peer = Peer([folded], [OK])
    assert peer.send()
    assert r'nonce="a\"b"' in header(peer.requests[1], "Proxy-Authorization")


def over_tcp(answer):
    """Send a message to a TCP server that runs `answer(request, writer)` and hangs up."""

    async def scenario():
        done = asyncio.Event()

        async def serve(reader, writer):
            await answer((await reader.readuntil(b"\r\n\r\n")).decode(), writer)
            writer.close()
            await asyncio.wait([asyncio.ensure_future(writer.wait_closed())])
            done.set()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            try:
                return await sender(f"sip:127.0.0.1:{port};transport=tcp").send(BOB, "Hello")
            finally:
                await done.wait()

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"",
        b"garbage",
        b"garbage\r\n\r\n",
        b"SIP/2.0 200 OK\r\nContent-Length: 9\r\n\r\n",
        b"SIP/2.0 200 OK\r\nContent-Length: -9\r\n\r\n",
        b"SIP/2.0 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 70000,
        b"x" * 70000,
    ],
)
def test_a_connection_that_ends_without_an_answer_makes_sip_unavailable(bytes_sent):
    async def answer(_, writer):
        writer.write(bytes_sent)

    with pytest.raises(SipUnavailable):
        over_tcp(answer)


def test_responses_are_told_apart_on_a_stream_also_in_pieces():
    async def answer(request, writer):
        copied = "".join(f"{name}: {header(request, name)}\r\n" for name in ("Via", "CSeq"))
        trying = f"\r\n\r\nSIP/2.0 100 Trying\r\n{copied}Content-Length: 4\r\n\r\nSIP/"
        accepted = f"SIP/2.0 202 Accepted\r\n{copied.replace('Via', 'v')}l: 0\r\n\r\n"
        for piece in (trying[:30], trying[30:] + accepted[:50], accepted[50:]):
            writer.write(piece.encode())
            await asyncio.sleep(0.01)

    assert over_tcp(answer)


def test_a_time_out_of_the_connection_is_no_wish_to_send_again():
    async def scenario():
        async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as server:
            stream = await Stream.open(server.sockets[0].getsockname()[:2])
            try:
                # What the kernel's ETIMEDOUT, which takes minutes to come, does to a reader.
                stream._reader.set_exception(TimeoutError())
                with pytest.raises(ConnectionResetError):
                    await stream.receive()
            finally:
                stream.close()
                await asyncio.sleep(0.01)

    asyncio.run(scenario())


# What never leaves.


@pytest.mark.parametrize("to", ["bob", "bob@example.org\r\nRoute: <sip:evil>", "bob@example.org>", "b b@example.org"])
def test_what_is_no_address_is_refused(to):
    with pytest.raises(ValidationFailed) as refused:
        send(f"sip:127.0.0.1:{free_port()}", to=to)
    assert list(refused.value.errors) == ["to"]


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(ValidationFailed) as refused:
        send(f"sip:127.0.0.1:{free_port()}", body="\udfff")
    assert list(refused.value.errors) == ["body"]


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"proxy": "http://h", "sender": BOB}, "proxy"),
        ({"proxy": "sips:h;transport=udp", "sender": BOB}, "proxy"),
        ({"proxy": "sip:h:99999", "sender": BOB}, "proxy"),
        ({"proxy": "sip:h"}, "sender"),
        ({"proxy": "sip:h", "sender": "bob"}, "sender"),
        ({"proxy": "sip:h", "sender": BOB, "tls_ca_file": "/nowhere"}, "tls_ca_file"),
    ],
)
def test_settings_that_cannot_work_stop_the_start(settings, word):
    with pytest.raises(ConfigurationError, match=word):
        SipMessageSender(FlexisipSettings(**settings))
