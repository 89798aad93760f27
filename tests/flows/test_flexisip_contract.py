"""Flexisip's calls as it sends them: HTTP/2 over TLS through each front server, on one connection, in parallel."""

import asyncio
import hashlib
import json

import httpx
import pytest

from flexiapi.model import ForwardingKind, ForwardingTarget
from flexiapi.services.calls import ForwardingValues
from tests.kit import flexisip_reader
from tests.kit.front_servers import NAME, await_answer, haproxy, nginx, started
from tests.kit.server import serving
from tests.kit.voicemail import CONTENT_TYPE, form, wav

pytestmark = pytest.mark.conformance

STREAMS = 20
DEVICE = '"<urn:uuid:4f2e1a9c-1111-4222-8333-444455556666>"'
AT = "2026-11-30T21:00:00Z"


@pytest.fixture(scope="module")
def server(tmp_path_factory, mongod_uri):
    tables = {"server": {"trusted_proxies": ["127.0.0.1"]}, "app": {"url": f"https://{NAME}", "key": "k" * 40}}
    with serving(tables, tmp_path_factory.mktemp("behind"), mongod_uri) as running:
        yield running


@pytest.fixture(params=[nginx, haproxy])
def front(request, server, tmp_path):
    with started(request.param, int(server.url.rpartition(":")[2]), tmp_path) as found:
        await_answer(found, 200)
        yield found


class Flexisip:
    """A client that behaves as Flexisip's does: one connection, one key, no `From`, raw paths, a length on each GET."""

    def __init__(self, front, key):
        limits = httpx.Limits(max_connections=1)
        self.http = httpx.AsyncClient(http2=True, verify=front.context, limits=limits, timeout=30)
        self.http.headers.clear()
        self.base, self.key = front.client.base_url, key
        self.connections = set()

    async def ask(self, method, path, body=None):
        content = b"" if body is None else json.dumps(body).encode()
        headers = {
            "host": NAME,
            "accept": "application/json",
            **self.key,
            "content-type": "application/json",
            "content-length": str(len(content)),
        }
        request = self.http.build_request(method, self.base, headers=headers, content=content)
        request.extensions = {**request.extensions, "target": path.encode(), "sni_hostname": NAME}
        answer = await self.http.send(request)
        self.connections.add(answer.extensions["network_stream"].get_extra_info("client_addr"))
        assert answer.http_version == "HTTP/2"
        return answer


@pytest.fixture
def people(server):
    """Bob, who forwards calls without answer to his contact Carol, and Carol."""
    carol, bob = server.person(), server.person()
    server.apply(server.account(bob.id).add_contact(carol.id))
    values = ForwardingValues(ForwardingKind.NO_ANSWER, ForwardingTarget.CONTACT, enabled=True, contact_id=carol.id)
    server.run(server.services.calls.forwarding.add(server.account(bob.id), values, server.actor))
    return bob, carol


async def _calls(flexisip, bob, carol):
    """All calls of Flexisip, as many at once as make the wanted number of streams."""
    call, message = (hashlib.sha256(f"{kind}{bob.id}".encode()).hexdigest() for kind in ("call", "message"))
    begun = {
        "id": call,
        "sip_call_id": "0PqT~VdWxy",
        "from": carol.sip,
        "to": bob.sip,
        "devices": {DEVICE: None},
        "initiated_at": AT,
        "ended_at": None,
        "conference_id": None,
    }
    sent = {"id": message, "from": carol.sip, "to": {bob.sip: {DEVICE: None}}, "sent_at": AT, "encrypted": False}
    push = {"pn_provider": "fcm", "pn_param": "929724111839", "pn_prid": "dA1b:x", "type": "call", "call_id": call}
    asked = [
        ("GET", "/api/spaces", None),
        ("GET", f"/api/resolve/{bob.sip}", None),
        ("GET", f"/api/resolve/{carol.sip}", None),
        ("GET", f"/api/accounts/{carol.sip}/search", None),
        ("GET", "/api/resolve/nobody%23x@sip.example.org", None),
        ("POST", "/api/push_notification", push),
        ("POST", "/api/stats/calls", begun),
        ("PATCH", f"/api/stats/calls/{call}/devices/{DEVICE}", {"rang_at": AT}),
        (
            "PATCH",
            f"/api/statistics/calls/{call}/devices/fs-gen-7f",
            {"invite_terminated": {"at": AT, "state": "accepted_elsewhere"}},
        ),
        ("PATCH", f"/api/stats/calls/{call}", {"ended_at": AT}),
        ("POST", "/api/statistics/messages", {**sent, "conference_id": None}),
        (
            "PATCH",
            f"/api/stats/messages/{message}/to/{bob.sip}/devices/{DEVICE}",
            {"last_status": 200, "received_at": AT},
        ),
    ]
    asked += [("GET", f"/api/resolve/{bob.sip}", None)] * (STREAMS - len(asked))
    answers = await asyncio.gather(*(flexisip.ask(*one) for one in asked))
    return dict(zip([f"{method} {path}" for method, path, _ in asked], answers, strict=False))


async def _conversation(front, key, bob, carol):
    flexisip = Flexisip(front, key)
    async with flexisip.http:
        await flexisip.ask("GET", "/api/spaces")
        answers = await _calls(flexisip, bob, carol)
        sound = {"sip_from": "sip:caller@elsewhere.example.org", "content_type": "audio/wav"}
        slot = await flexisip.ask("POST", f"/api/accounts/{bob.id}/voicemails", sound)
    return answers, slot, flexisip.connections


def test_flexisip_reads_each_answer_to_its_calls(server, front, people):
    bob, carol = people
    key = server.named_key("flexisip")
    answers, slot, connections = asyncio.run(_conversation(front, key, bob, carol))
    assert len(connections) == 1
    spaces = answers.pop("GET /api/spaces")
    assert flexisip_reader.domains(spaces.status_code, spaces.content) == {"sip.example.org"}
    assert answers.pop("GET /api/resolve/nobody%23x@sip.example.org").status_code == 404
    assert {name: answer.status_code for name, answer in answers.items() if answer.status_code // 100 != 2} == {}
    assert flexisip_reader.resolved(answers[f"GET /api/resolve/{bob.sip}"].content) == (
        bob.id,
        f"sip:{bob.sip}",
        [("away", f"sip:{carol.sip}", True)],
    )
    assert flexisip_reader.resolved(answers[f"GET /api/resolve/{carol.sip}"].content)[2] == []
    searched = answers[f"GET /api/accounts/{carol.sip}/search"].json()
    assert flexisip_reader.account(searched)[:2] == (carol.id, f"sip:{carol.sip}")
    place = flexisip_reader.slot(slot.status_code, slot.content)
    uploaded = front.client.post(place, content=form(wav()), headers={"Content-Type": CONTENT_TYPE, **key})
    assert uploaded.status_code == 200
