"""Bursts of mails, and mails to bad addresses, through the outlet of the SMTP backend to a mail server of the field."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from prometheus_client import REGISTRY

from flexiapi.errors import DeliveryFailed
from flexiapi.notify.discovery import Transport, backend_class, installed_backends
from flexiapi.notify.outlet import Outlet
from flexiapi.plugin import MailMessage
from flexiapi.settings.delivery import DeliverySettings
from flexiapi.testing.profiles import MailServer

DELIVERY = DeliverySettings(deadline_seconds=120, circuit_failures=3)


class WatchedMail(backend_class(installed_backends(), Transport.MAIL, "smtp", "mail.main")):
    """Counts the mails that are under way in it."""

    under_way = most_under_way = 0

    async def send(self, message):
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await super().send(message)
        finally:
            self.under_way -= 1


@asynccontextmanager
async def outlet_to(server, delivery=DELIVERY, **more):
    settings = {
        "host": server.host,
        "port": server.port,
        "encryption": "none",
        "from_address": "server@example.org",
        "probe_seconds": 60,
        **more,
    }
    backend = WatchedMail(WatchedMail.Config.model_validate(settings))
    await backend.start()
    try:
        yield Outlet(Transport.MAIL, "main", backend, delivery)
    finally:
        await backend.close()


def mail_to(address):
    return MailMessage(address, "Hello", "471100\n")


def users(count, domain="example.org"):
    return [f"user{number}@{domain}" for number in range(count)]


def openings():
    """Return how often the backend was left to rest."""
    of_backend = {"transport": "mail", "label": "main"}
    return REGISTRY.get_sample_value("flexiapi_delivery_circuit_openings_total", of_backend) or 0


def copies(server):
    return {address: len(mails) for address, mails in server.delivered.items()}


def test_a_burst_of_slow_mails_arrives_and_the_circuit_stays_closed():
    async def whole():
        async with outlet_to(server) as outlet:
            await asyncio.gather(*(outlet.send(mail_to(address)) for address in users(50)))
            return outlet.resting, outlet.backend.most_under_way

    with MailServer(tarpit_seconds=0.1) as server:
        resting, most_under_way = asyncio.run(whole())
        assert copies(server) == dict.fromkeys(users(50), 1)
        # They waited before the backend, in which waiting would have been the server's time.
        assert (resting, most_under_way) == ([], 20)
        assert server.most_connections <= 20
        assert server.repeats == 0


def test_a_burst_arrives_at_a_server_that_takes_three_connections():
    async def whole():
        async with outlet_to(server) as outlet:
            await asyncio.gather(*(outlet.send(mail_to(address)) for address in users(50)))
            return outlet.resting

    with MailServer(tarpit_seconds=0.02, connection_limit=3) as server:
        assert asyncio.run(whole()) == []
        assert copies(server) == dict.fromkeys(users(50), 1)


@pytest.mark.slow
def test_the_wait_for_a_server_that_takes_three_connections_is_not_held_against_it():
    async def whole():
        # Tries so long that a machine which stands still ends none that is served.
        async with outlet_to(server, DELIVERY.model_copy(update={"deadline_seconds": 30})) as outlet:
            # The last have waited for longer than a try may take.
            await asyncio.gather(*(outlet.send(mail_to(address)) for address in users(20)), return_exceptions=True)

    before = openings()
    with MailServer(tarpit_seconds=2, connection_limit=3) as server:
        asyncio.run(whole())
    assert openings() == before


def test_bad_addresses_do_not_switch_mails_off_for_others():
    async def whole():
        async with outlet_to(server) as outlet:
            bad = [*users(20, "dead.example"), *users(20, "full.example"), *users(20, "grey.example")]
            results = await asyncio.gather(*(outlet.send(mail_to(address)) for address in bad), return_exceptions=True)
            assert {type(result) for result in results} == {DeliveryFailed}
            assert outlet.resting == []
            server.greylists = False
            await asyncio.gather(*(outlet.send(mail_to(address)) for address in users(20)))

    with MailServer(greylists=True) as server:
        server.dead, server.full = set(users(20, "dead.example")), set(users(20, "full.example"))
        asyncio.run(whole())
        assert copies(server) == dict.fromkeys(users(20), 1)


@pytest.mark.parametrize("encryption", ["none", "starttls"])
def test_mails_arrive_once_although_all_connections_are_forgotten(encryption):
    async def whole():
        own = {"encryption": encryption, "ca_file": server.ca_file, "probe_seconds": 0.2}
        async with outlet_to(server, **own) as outlet:
            await asyncio.gather(*(outlet.send(mail_to(address)) for address in users(20)))
            server.forget_connections()
            await asyncio.gather(*(outlet.send(mail_to(address)) for address in users(20, "example.net")))
            return outlet.resting

    with MailServer(tarpit_seconds=0.02, encryption=encryption) as server:
        assert asyncio.run(whole()) == []
        assert copies(server) == dict.fromkeys([*users(20), *users(20, "example.net")], 1)
        assert server.repeats == 0
