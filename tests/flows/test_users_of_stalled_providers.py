"""Many users at once, of whom one in ten has a dead address, while one gateway of each provider is silent.

With `--slow` it is a thousand users of each provider. `-s` shows the figures.
"""

import asyncio
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

import pytest
from prometheus_client import REGISTRY

from flexiapi.concurrency.tasks import beside
from flexiapi.errors import DeliveryFailed
from flexiapi.notify import Notifier
from flexiapi.plugin import MailMessage, PushMessage, SmsMessage
from flexiapi.settings import Settings
from flexiapi.testing import Gateway, reply
from flexiapi.testing.profiles import Apns, Fcm, MailServer, Ntfy, Ovh, PusherProgram, Twilio

pytestmark = pytest.mark.faults

STALL_SECONDS = 10
MOST_MEMORY_KIB = 150 * 1024


@dataclass
class Crowd:
    """Users of one backend, with a table for each of two gateways, of which the first stalls."""

    transport: str
    gateways: tuple[Any, Any]
    tables: dict[str, dict[str, Any]]
    address: Callable[[int], str]
    message: Callable[[str], Any]
    arrived: Callable[[Any], Counter[str]]
    most_connections: int
    """Of one gateway."""
    pace: float = 1.0
    """The speed at which users come, of the usual one: programs take longer to start than requests."""
    has_spare: bool = True
    """True if the second gateway serves the users of the first; else each has every other one."""
    refused: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    connections: list[int] = field(default_factory=lambda: [0, 0])
    openings: dict[str, float | None] = field(default_factory=dict)

    def dead(self, users: range) -> set[str]:
        return {self.address(user) for user in users if user % 10 == 0}

    def alive(self, users: range) -> set[str]:
        """The addresses that nothing but their own gateway may keep from being served."""
        own = (user for user in users if user % 10 and (self.has_spare or user % 2))
        return {self.address(user) for user in own}

    async def come(self, name: str, scene: "Scene", data: Path) -> None:
        """Send one message to each user, while the first gateway is silent."""
        tables = {self.transport: {f"{name}-{label}": table for label, table in self.tables.items()}}
        notifier = Notifier(Settings.model_validate({**tables, "delivery": scene.delivery, "data": {"path": data}}))
        await notifier.start()
        send: Callable[[Any], Awaitable[object]] = getattr(notifier, self.transport)
        self.gateways[0].stall(STALL_SECONDS)
        try:
            async with beside(self._count_for_ever()):
                coming = []
                for user in scene.users:
                    coming.append(asyncio.create_task(self._sent(send, self.address(user))))
                    await asyncio.sleep(scene.within / self.pace / len(scene.users))
                await asyncio.gather(*coming)
        finally:
            await notifier.close()
            self.gateways[0].stall(0)
        self.openings = {label: openings(self.transport, f"{name}-{label}") for label in self.tables}

    async def _count_for_ever(self) -> None:
        while True:
            now = [connections_to(getattr(gateway, "port", 0)) for gateway in self.gateways]
            self.connections = [max(most, number) for most, number in zip(self.connections, now, strict=True)]
            await asyncio.sleep(0.1)

    async def _sent(self, send: Callable[[Any], Awaitable[object]], address: str) -> None:
        began = time.monotonic()
        try:
            await send(self.message(address))
        except DeliveryFailed:
            self.refused.append(address)
        self.seconds.append(time.monotonic() - began)


def connections_to(port):
    """Return the number of connections to a port of this host that the client has not ended.

    A silent server does not know which have ended.
    """
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[2:4] == [f"0100007F:{port:04X}", "01"] for line in lines)


def openings(transport, label):
    """Return how often a backend was left to rest."""
    of_label = {"transport": transport, "label": label}
    return REGISTRY.get_sample_value("flexiapi_delivery_circuit_openings_total", of_label)


def pair(tables: Callable[[Any], dict[str, Any]], gateways: tuple[Any, Any]) -> dict[str, dict[str, Any]]:
    return {label: {"order": place, **tables(gateways[place])} for place, label in enumerate(("main", "spare"))}


def fcm(gateways, folder):
    def table(gateway):
        own = folder / str(gateway.port)
        own.mkdir()
        return {"backend": "fcm", "endpoint": gateway.url, "service_account_file": str(gateway.service_account(own))}

    return Crowd(
        "push",
        gateways,
        pair(table, gateways),
        lambda user: f"device-{user}:token",
        lambda address: PushMessage("fcm", "929", address, {"token": "1"}),
        lambda gateway: gateway.delivered,
        101,  # with the one to the token endpoint
    )


def apns(gateways, folder):
    def table(gateway):
        keys = {name: str(value) for name, value in gateway.sign_in(folder).items()}
        return {"backend": "apns", "url": gateway.url, "sandbox_url": gateway.url, "ca_file": gateway.ca_file, **keys}

    return Crowd(
        "push",
        gateways,
        pair(table, gateways),
        lambda user: f"{user:064}",
        lambda address: PushMessage("apns", "ABCD1234EF.org.example", address, {"token": "1"}),
        lambda gateway: gateway.delivered,
        1,
    )


def pusher(gateways, folder):
    def table(gateway):
        key = str(gateway.key)
        return {"backend": "flexisip-pusher", "program": str(gateway.program), "firebase_key_file": key}

    return Crowd(
        "push",
        gateways,
        pair(table, gateways),
        lambda user: f"device-{user}",
        lambda address: PushMessage("fcm", "929", address, {"token": "1"}),
        lambda gateway: gateway.delivered,
        0,
        pace=0.1,
    )


def unified(gateways, folder):
    hosts = [f"127.0.0.1:{gateway.port}" for gateway in gateways]
    return Crowd(
        "push",
        gateways,
        {"main": {"backend": "unified", "hosts": hosts, "allow_http": True}},
        lambda user: gateways[user % 2].endpoint(f"up{user}"),
        lambda address: PushMessage("unifiedpush", "1", address, {"token": "1"}),
        lambda gateway: Counter({gateway.endpoint(name): number for name, number in gateway.delivered.items()}),
        100,
        has_spare=False,
    )


def texts(gateway):
    return Counter({number: len(texts) for number, texts in gateway.delivered.items()})


def twilio(gateways, folder):
    def table(gateway):
        secrets = {"account_sid": gateway.account_sid, "auth_token": gateway.auth_token}
        return {"backend": "twilio", "endpoint": gateway.url, "sender": "+15017122661", **secrets}

    return Crowd("sms", gateways, pair(table, gateways), number_of, text_to, texts, 100)


def ovh(gateways, folder):
    def table(gateway):
        keys = {name: getattr(gateway, name) for name in ("application_key", "application_secret", "consumer_key")}
        return {
            "backend": "ovh",
            "endpoint": f"{gateway.url}/1.0",
            "service": gateway.services[0],
            "sender": "Example",
            **keys,
        }

    return Crowd("sms", gateways, pair(table, gateways), number_of, text_to, texts, 100)


class Acme(Gateway):
    """A gateway for SMS that knows a message by its id, whatever is `dead`."""

    def __init__(self):
        super().__init__()
        self.dead = set()
        self.delivered = defaultdict(dict)
        self.answer(self.process)

    def process(self, request):
        asked = request.json()
        if asked["to"] in self.dead:
            return reply(400, {"error": "no such number"})
        self.delivered[asked["to"]][asked["id"]] = asked["text"]
        return reply(200, {"id": asked["id"]})


def http(gateways, folder):
    def table(gateway):
        body = {"to": "{{ phone }}", "text": "{{ text }}", "id": "{{ id }}"}
        return {"backend": "http", "url": gateway.url, "body_json": body, "refused": "status == 400"}

    return Crowd("sms", gateways, pair(table, gateways), number_of, text_to, texts, 20)


def mail(gateways, folder):
    def table(gateway):
        return {"backend": "smtp", "host": gateway.host, "port": gateway.port, "encryption": "none", "connections": 10}

    return Crowd(
        "mail",
        gateways,
        pair(table, gateways),
        lambda user: f"user{user}@example.org",
        lambda address: MailMessage(address, "Code", "0427"),
        lambda gateway: Counter({mailbox: len(mails) for mailbox, mails in gateway.delivered.items()}),
        10,
    )


def number_of(user):
    return f"+3360{user:07}"


def text_to(number):
    return SmsMessage(number, "Your code is 0427", time_to_live=600)


PROFILES = {
    "apns": (Apns, apns),
    "fcm": (Fcm, fcm),
    "unified": (Ntfy, unified),
    "pusher": (PusherProgram, pusher),
    "http": (Acme, http),
    "ovh": (Ovh, ovh),
    "twilio": (Twilio, twilio),
    "smtp": (MailServer, mail),
}


@dataclass(frozen=True)
class Scene:
    """A number of users who come within some seconds, and the settings of deliveries."""

    users: range
    within: float
    delivery: dict[str, Any]
    at_once: bool
    """True if the users of all backends come at the same time."""


@pytest.fixture(scope="module")
def scene(request):
    if request.config.getoption("--slow"):
        return Scene(range(1000), 10, {}, at_once=False)
    # So long that a machine which stands still for seconds, or is very busy, does not fail the scenario.
    return Scene(range(20), 0, {"deadline_seconds": 30, "circuit_failures": 5}, at_once=True)


@pytest.fixture(scope="module")
def crowds(scene, tmp_path_factory):
    """The crowds by name, after all have come."""
    with ExitStack() as stack:
        crowds = {}
        for name in NAMES if scene.at_once else [*NAMES, "pusher"]:
            profile, crowd = PROFILES[name]
            gateways = tuple(stack.enter_context(made(profile, tmp_path_factory.mktemp(name))) for _ in range(2))
            crowds[name] = crowd(gateways, tmp_path_factory.mktemp(name))
            for gateway in gateways:
                gateway.dead = dead_in(crowds[name].dead(scene.users))

        async def all_come():
            coming = [crowd.come(name, scene, tmp_path_factory.mktemp("data")) for name, crowd in crowds.items()]
            if scene.at_once:
                await asyncio.gather(*coming)
            else:
                for one in coming:
                    await one

        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        asyncio.run(all_come())
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
        show(crowds, scene.users, memory)
        assert memory < MOST_MEMORY_KIB
        yield crowds


def made(profile, folder):
    return profile(folder) if profile is PusherProgram else profile()


def dead_in(addresses):
    """Return the addresses as the profile names them."""
    return {address.rpartition("/")[2].partition("?")[0] for address in addresses}


def show(crowds, users, memory):
    print(f"\n{len(users)} users of each backend, memory +{memory / 1024:.0f} MiB at most")  # noqa: T201 - shown on demand
    for name, crowd in crowds.items():
        middle, slow = quantiles(crowd.seconds, n=100)[49::49]
        wrongly = crowd.alive(users) & set(crowd.refused)
        figures = f"p50 {middle:5.2f} s, p99 {slow:5.2f} s, refused wrongly {len(wrongly)}"
        print(f"{name:8} {figures}, connections {crowd.connections}")  # noqa: T201 - as above


# Programs take much longer to start than requests.
NAMES = [name for name in PROFILES if name != "pusher"]


@pytest.fixture(params=[*NAMES, pytest.param("pusher", marks=pytest.mark.slow)])
def crowd(request, crowds):
    return crowds[request.param]


def test_a_right_address_is_not_refused_for_the_fault_of_another(crowd, scene):
    assert crowd.alive(scene.users) & set(crowd.refused) == set()


def test_a_message_arrives_once(crowd, scene):
    arrived = sum((crowd.arrived(gateway) for gateway in crowd.gateways), Counter())
    assert {address for address, times in arrived.items() if times > 1} == set()
    assert crowd.alive(scene.users) <= arrived.keys()


def test_a_dead_address_is_told_and_gets_nothing(crowd, scene):
    assert crowd.dead(scene.users) <= set(crowd.refused)
    assert not any(crowd.dead(scene.users) & crowd.arrived(gateway).keys() for gateway in crowd.gateways)


def test_only_the_silent_gateway_is_left_alone(crowd):
    assert crowd.openings["main"] >= 1
    assert not crowd.openings.get("spare")


def test_connections_are_bounded(crowd):
    assert max(crowd.connections) <= crowd.most_connections
    assert crowd.connections[1] >= min(crowd.most_connections, 1), "the well gateway is used"
