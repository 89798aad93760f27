"""Devices of creation tokens by push: one device is one, however it is spelt, and backends name their providers."""

import asyncio
import importlib
import sys

import httpx
import pytest

from flexiapi.notify.discovery import declared_providers
from flexiapi.store.tokens import key_of
from flexiapi.testing import Gateway, reply

TOKEN = "0a1B" * 16
REGISTRATION = "dA1b:APA91b_x-y" + "z" * 20
ACME = '''
from flexiapi.plugin import BackendConfig, PushBackend, Receipt


class AcmePush(PushBackend[BackendConfig]):
    """A push service of a third party, whose devices are numbers."""

    Config = BackendConfig
    providers = frozenset({"acme"})
    sent = []

    def device_identity(self, message):
        return f"acme {int(message.prid)}"

    async def send(self, message):
        self.sent.append(message)
        return Receipt()


class IdlePush(AcmePush):
    """Another, which the settings do not name."""

    providers = frozenset({"idle"})
'''


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    """The class of a backend whose distribution is installed."""
    site = tmp_path_factory.mktemp("site")
    info = site / "flexiapi_push_acme-1.0.dist-info"
    info.mkdir()
    (site / "flexiapi_push_acme.py").write_text(ACME)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: flexiapi-push-acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[flexiapi.push]\nacme = flexiapi_push_acme:AcmePush\nidle = flexiapi_push_acme:IdlePush\n"
    )
    sys.path.insert(0, str(site))
    importlib.invalidate_caches()
    declared_providers.cache_clear()
    yield importlib.import_module("flexiapi_push_acme").AcmePush
    sys.path.remove(str(site))
    del sys.modules["flexiapi_push_acme"]
    declared_providers.cache_clear()


@pytest.fixture(scope="module")
def push_server():
    with Gateway() as gateway:
        yield gateway


@pytest.fixture(scope="module")
def configure(acme, push_server):
    unified = {"backend": "unified", "hosts": [f"127.0.0.1:{push_server.port}"], "allow_http": True}
    outbox = {"backend": "outbox", "order": 1}
    return {"push": {"acme": {"backend": "acme"}, "unified": unified, "others": outbox}}


def ask(http, provider, param, prid):
    push = {"pn_provider": provider, "pn_param": param, "pn_prid": prid}
    return http.post("/api/account_creation_tokens/send-by-push", json=push)


def statuses(server, addresses):
    """The statuses of requests that are made at once, in order."""

    async def whole():
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            return await asyncio.gather(*(ask(client, *address) for address in addresses))

    return sorted(answer.status_code for answer in asyncio.run(whole()))


def spellings(providers, params, prids):
    return [(provider, param, prid) for provider in providers for param in params for prid in prids]


def of_apns(_push_server):
    app = "ABCD1234.org.example.phone"
    alone = [TOKEN, TOKEN.lower(), TOKEN.upper(), f"{TOKEN.upper()}:remote"]
    both = [f"{TOKEN.lower()}:remote&{'b' * 64}:voip", f"{'c' * 64}:voip&{TOKEN}:remote"]
    providers = ["apns", "apns.dev"]
    return [*spellings(providers, [app], alone), *spellings(providers, [f"{app}.remote"], both)]


def of_fcm(_push_server):
    return spellings(["fcm"], [f"9297247{number:05}" for number in range(12)], [REGISTRATION])


def of_unified_push(push_server):
    host = push_server.url.removeprefix("http://")
    prids = [f"{scheme}://{host}/{path}" for scheme in ("http", "HTTP") for path in ("up~1", "up%7E1", "%75p%7e1")]
    return spellings(["unifiedpush", "ntfy"], ["a", "b"], prids)


@pytest.mark.parametrize("of", [of_apns, of_fcm, of_unified_push], ids=lambda of: of.__name__)
def test_twelve_spellings_of_one_token_give_one_creation_token_to_fifty_that_ask_at_once(server, push_server, of):
    push_server.answer(reply(200))
    written = of(push_server)
    assert len(set(written)) >= 12
    assert statuses(server, (written * 5)[:50]) == [200] + [403] * 49


def test_tokens_that_were_sent_before_the_identity_was_kept_count(server, http):
    key = key_of(f"fcm\x1f9297\x1f{REGISTRATION}old", server.actor)
    most = server.settings.account.creation_tokens_per_device

    async def kept():
        await server.store._database["push_devices"].insert_one({"_id": key, "tokens": most})

    server.run(kept())
    # Also under another spelling, once the first has been seen.
    assert [ask(http, "fcm", param, f"{REGISTRATION}old").status_code for param in ("9297", "9298")] == [403, 403]


def test_an_address_that_its_backend_refuses_is_sent_nothing_and_leaves_no_record(server, http, push_server):
    before = len(push_server.sends)
    assert ask(http, "acme", "a", "not-a-number").status_code == 503
    assert len(push_server.sends) == before


class TestTheProvidersOfInstalledBackends:
    def test_are_what_pn_provider_accepts(self, http, acme):
        acme.sent.clear()
        assert ask(http, "acme", "anything", "0017").status_code == 200
        assert ask(http, "acme", "else", "17").status_code == 403
        (message,) = acme.sent
        assert (message.provider, message.param, message.prid) == ("acme", "anything", "0017")

    def test_include_those_that_the_settings_do_not_name(self, http):
        assert ask(http, "idle", "a", "1").status_code == 200

    @pytest.mark.parametrize("provider", ["nobody", "ACME", "*", "a b", "-fcm", "x" * 65])
    def test_are_the_only_ones(self, http, provider):
        assert list(ask(http, provider, "a", "1").json()["errors"]) == ["pn_provider"]

    def test_are_named_to_who_asks_for_another(self, http):
        (text,) = ask(http, "nobody", "a", "1").json()["errors"]["pn_provider"]
        assert text == "pn_provider must be one of acme, apns, apns.dev, fcm, idle, ntfy, unifiedpush"
