"""The backend and a mail server as it stands in the field."""

import asyncio
import socket
import time
from contextlib import ExitStack

import pytest
import uvloop
from aiosmtplib import SMTP

from flexiapi.plugin import DeliveryError, MailMessage, RecipientDeferred, RecipientRefused, Retryable
from flexiapi.testing import reply, run_backend, running_backend
from flexiapi.testing.profiles import MailServer
from flexiapi_mail_smtp import SmtpMail
from flexiapi_mail_smtp.naming import NamedClient, address_literal, full_name

ALICE = "alice@example.org"
FOR_EVER = 600


def backend_of(server, **more):
    settings = {
        "host": server.host,
        "port": server.port,
        "encryption": "none",
        "from_address": "server@example.org",
        "probe_seconds": 60,
        "idle_seconds": FOR_EVER,
    }
    return SmtpMail(SmtpMail.Config.model_validate({**settings, **more}))


def mail_to(address=ALICE):
    return MailMessage(address, "Hello", "471100\n")


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the server is in another thread
            await asyncio.sleep(0.01)


def test_a_silent_connection_costs_a_moment_and_the_mail_arrives_once(monkeypatch):
    asked = []

    async def noop(client, **options):
        asked.append(client)
        return await SMTP.noop(client, **options)

    async def whole(backend):
        await asyncio.gather(*(backend.send(mail_to()) for _ in range(5)))
        server.forget_connections()
        before = server.connections
        assert len(backend._connections._idle) > 1
        monkeypatch.setattr(NamedClient, "noop", noop)
        async with asyncio.timeout(60):
            await backend.send(mail_to())
        # Were each of them asked, a mail would wait as often.
        assert (len(asked), server.connections) == (1, before + 1)

    with MailServer(tarpit_seconds=0.05) as server:
        run_backend(backend_of(server, probe_seconds=0.2, connections=5), whole)
        assert (len(server.delivered[ALICE]), server.repeats) == (6, 0)


def test_an_old_connection_is_dropped_without_being_asked():
    async def whole(backend):
        await backend.send(mail_to())
        server.forget_connections()
        # As in a process that was stopped for so long: nothing has closed the connection in time.
        backend._connections._idle[0]._used_at -= 2 * FOR_EVER
        async with asyncio.timeout(60):
            await backend.send(mail_to())

    with MailServer() as server:
        run_backend(backend_of(server, probe_seconds=FOR_EVER), whole)
        assert (len(server.delivered[ALICE]), server.connections) == (2, 2)


@pytest.mark.parametrize("encryption", ["none", "starttls", "tls"])
def test_idle_connections_are_closed_although_no_mail_comes(encryption):
    async def whole(backend):
        await asyncio.gather(*(backend.send(mail_to()) for _ in range(3)))
        assert server.most_connections > 0
        await until(lambda: server.open_connections == 0)
        await backend.send(mail_to())

    with MailServer(encryption=encryption) as server:
        run_backend(backend_of(server, encryption=encryption, ca_file=server.ca_file, idle_seconds=0.2), whole)
        assert len(server.delivered[ALICE]) == 4


@pytest.mark.parametrize("loop", [asyncio.SelectorEventLoop, uvloop.Loop])
@pytest.mark.parametrize("encryption", ["none", "starttls", "tls"])
def test_forgotten_connections_are_closed_too_and_keep_no_descriptors(encryption, loop):
    async def whole():
        settings = {"encryption": encryption, "ca_file": server.ca_file, "idle_seconds": 0.1, "probe_seconds": 0.1}
        async with running_backend(backend_of(server, **settings)) as backend:
            await asyncio.gather(*(backend.send(mail_to()) for _ in range(3)))
            server.forget_connections()
            await until(lambda: server.open_connections == 0)

    with MailServer(encryption=encryption) as server, asyncio.Runner(loop_factory=loop) as runner:
        runner.run(whole())


def test_a_connection_that_the_server_has_closed_costs_nothing():
    async def whole(backend):
        await backend.send(mail_to())
        await until(lambda: server.open_connections == 0)
        await backend.send(mail_to())

    with MailServer(closes_after=0.1) as server:
        run_backend(backend_of(server), whole)
        assert len(server.delivered[ALICE]) == 2


def test_a_mail_whose_answer_was_lost_is_in_the_mailbox_once():
    async def whole(backend):
        message = mail_to()
        server.loses_answers = 1
        with pytest.raises(Retryable):
            await backend.send(message)
        await backend.send(message)

    with MailServer() as server:
        run_backend(backend_of(server), whole)
        assert (len(server.delivered[ALICE]), server.repeats) == (1, 1)


def test_bad_addresses_cost_no_connection_and_say_nothing_about_the_server():
    async def whole(backend):
        with pytest.raises(RecipientDeferred):
            await backend.send(mail_to())
        with pytest.raises(RecipientRefused):
            await backend.send(mail_to("dead@example.org"))
        with pytest.raises(RecipientDeferred):
            await backend.send(mail_to("full@example.org"))
        await backend.send(mail_to())

    with MailServer(greylists=True) as server:
        server.dead, server.full = {"dead@example.org"}, {"full@example.org"}
        run_backend(backend_of(server), whole)
        assert (list(server.delivered), server.connections) == ([ALICE], 1)


@pytest.mark.parametrize(
    ("answer", "connections"),
    [
        (reply(530, body="5.7.57 Client not authenticated"), 2),
        (reply(452, body="4.5.3 Too many recipients in this session"), 2),
        (reply(421, body="4.3.0 closing"), 2),
        (reply(550, body="5.1.1 unknown"), 1),
        (reply(554, body="5.7.1 spam"), 1),
    ],
)
def test_a_connection_that_has_lost_its_sign_in_or_had_its_share_is_not_used_again(answer, connections):
    async def whole(backend):
        server.answer(answer, reply(250))
        with pytest.raises(DeliveryError):
            await backend.send(mail_to())
        await backend.send(mail_to())

    with MailServer() as server:
        run_backend(backend_of(server), whole)
        assert (len(server.delivered[ALICE]), server.connections) == (1, connections)


def test_mails_wait_for_as_many_connections_as_the_server_takes():
    async def whole(backend):
        await asyncio.gather(*(backend.send(mail_to(f"user{number}@example.org")) for number in range(50)))
        turned_away = server.connections - 3
        await asyncio.gather(*(backend.send(mail_to(f"user{number}@example.net")) for number in range(50)))
        # What was learned is kept for a while.
        assert server.connections == turned_away + 3

    with MailServer(connection_limit=3, tarpit_seconds=0.02) as server:
        run_backend(backend_of(server, connections=10), whole)
        assert len(server.delivered) == 100


def test_mails_that_wait_for_a_connection_learn_of_its_end():
    async def whole(backend):
        sending = [asyncio.create_task(backend.send(mail_to(f"user{number}@example.org"))) for number in range(5)]
        await until(lambda: server.connections >= 5)
        server.stop()
        async with asyncio.timeout(60):
            results = await asyncio.gather(*sending, return_exceptions=True)
        assert {isinstance(result, Retryable) for result in results} == {True}
        server.start()
        server.tarpit_seconds = 0
        await backend.send(mail_to())

    with MailServer(connection_limit=1, tarpit_seconds=FOR_EVER) as server:
        run_backend(backend_of(server), whole)
        assert list(server.delivered) == [ALICE]


def test_a_mail_that_is_given_up_while_it_waits_takes_no_connection_along():
    async def whole(backend):
        first, second = (asyncio.create_task(backend.send(mail_to())) for _ in range(2))
        await until(lambda: server.connections >= 2)
        third = asyncio.create_task(backend.send(mail_to()))
        await asyncio.sleep(0.05)
        second.cancel()
        server.tarpit_seconds = 0
        await asyncio.gather(first, third, return_exceptions=True)
        await backend.send(mail_to())

    with MailServer(connection_limit=1, tarpit_seconds=0.3) as server:
        run_backend(backend_of(server), whole)
        assert len(server.delivered[ALICE]) >= 2


@pytest.mark.parametrize("loop", [asyncio.SelectorEventLoop, uvloop.Loop])
@pytest.mark.parametrize("encryption", ["none", "starttls", "tls"])
def test_an_address_of_the_server_that_does_not_answer_holds_up_no_mail(monkeypatch, encryption, loop):
    name = "mail.example.org"

    async def resolve(self, host, port, **hints):
        addresses = [mute.getsockname(), ("127.0.0.1", port)] if host == name else [(host, port)]
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address) for address in addresses]

    async def whole():
        own = {"host": name, "encryption": encryption, "verify_peer": False, "timeout_seconds": FOR_EVER}
        async with running_backend(backend_of(server, **own)) as backend, asyncio.timeout(60):
            await backend.send(mail_to())

    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    with MailServer(encryption=encryption) as server, ExitStack() as stack:
        # Its queue is full: no further connection is answered, nor refused.
        mute = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(mute.getsockname())
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(whole())
        assert len(server.delivered[ALICE]) == 1


class TestName:
    def greeted_as(self, server, **more):
        names = []

        async def whole(backend):
            await backend.send(mail_to())

        original = server.greeting

        async def greeting(session):
            names.append(session)
            return await original(session)

        server.greeting = greeting
        run_backend(backend_of(server, **more), whole)
        return names[0].session.host_name

    def test_a_host_with_a_full_name_says_it(self, monkeypatch):
        monkeypatch.setattr(socket, "getfqdn", lambda: "accounts.example.org")
        with MailServer() as server:
            assert self.greeted_as(server) == "accounts.example.org"

    @pytest.mark.parametrize("name", ["accounts", "localhost", "localhost.localdomain", "1.0.0.127.in-addr.arpa"])
    def test_a_host_without_one_says_its_address(self, monkeypatch, name):
        monkeypatch.setattr(socket, "getfqdn", lambda: name)
        with MailServer() as server:
            assert self.greeted_as(server) == "[127.0.0.1]"

    def test_the_setting_has_the_last_word(self):
        with MailServer() as server:
            assert self.greeted_as(server, hello_name="mail.example.org") == "mail.example.org"

    def test_addresses_are_written_as_servers_read_them(self):
        assert address_literal("192.0.2.1") == "[192.0.2.1]"
        assert address_literal("2001:db8:0::1") == "[IPv6:2001:db8::1]"
        assert address_literal("fe80::1%eth0") == "[IPv6:fe80::1]"

    def test_a_slow_resolver_does_not_hold_up_the_start(self, monkeypatch):
        monkeypatch.setattr("flexiapi_mail_smtp.naming._NAME_SECONDS", 0.01)
        monkeypatch.setattr(socket, "getfqdn", lambda: time.sleep(0.5) or "accounts.example.org")
        assert asyncio.run(full_name()) is None

    def test_an_old_server_is_greeted_by_helo(self):
        async def whole():
            client = NamedClient(None, hostname=server.host, port=server.port, start_tls=False, use_tls=False)
            await client.connect()
            await client.helo()
            name = next(iter(server._sessions)).session.host_name
            await client.quit()
            return name

        with MailServer() as server:
            assert asyncio.run(whole()) == "[127.0.0.1]"


class TestWarnings:
    def warnings(self, **settings):
        given = {"host": "smtp.example.org", "hello_name": "mail.example.org", **settings}
        return SmtpMail(SmtpMail.Config.model_validate(given)).warnings()

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
    def test_a_password_in_clear_text_on_this_host_is_all_right(self, host):
        assert self.warnings(host=host, encryption="none", username="a", password="s3cret") == ()

    def test_a_password_in_clear_text_is_told(self):
        [text] = self.warnings(encryption="none", username="a", password="s3cret")
        assert text.startswith("the password goes to smtp.example.org:25 in clear text: set encryption")
        assert "s3cret" not in text
        assert self.warnings(encryption="starttls", username="a", password="s3cret") == ()
        assert self.warnings(encryption="none") == ()

    def test_a_token_in_clear_text_is_told(self):
        oauth = {"token_url": "https://a.example/token", "client_id": "a", "client_secret": "s3cret"}
        [text] = self.warnings(encryption="none", username="a", **oauth)
        assert text.startswith("the access token goes to")

    def test_a_password_for_a_server_that_is_not_verified_is_told(self):
        [text] = self.warnings(verify_peer=False, username="a", password="s3cret")
        assert text.startswith("the password goes to any server that answers for smtp.example.org:587")
        assert self.warnings(verify_peer=False, host="localhost", username="a", password="s3cret") == ()
        assert self.warnings(verify_peer=False) == ()

    def test_half_a_name_is_told(self):
        assert self.warnings(hello_name="accounts") == (
            "hello_name has no dot, so some servers refuse it: write this host's full name in DNS",
        )
        assert self.warnings(hello_name="[192.0.2.1]") == ()
