"""A block that one host sets holds on another one from its next request on, wherever the account comes in."""

import pytest

from flexiapi.crypto.keys import opened
from flexiapi.model import Actor
from tests.api.test_sip_auth import query
from tests.kit.digest import ME, answer, asked, nonce_of
from tests.kit.server import Server, shared_by_module
from tests.kit.visitor import Visitor

pytestmark = pytest.mark.security

server = shared_by_module({"flexisip": {"external_auth": True}})
PHONE = {"X-Linphone-Provisioning": "1"}


@pytest.fixture(scope="module")
def other(server):
    """A second host of the same installation."""
    made = Server(server.settings, server.uri).start()
    yield made
    made.stop()


@pytest.fixture
def ways(server, other):
    """Ways in, each as a function that returns whether the other host lets the account in."""
    person = server.person(email="many.ways@example.org", phone="+33612000001", provisioning_token="many-ways-1")
    http = other.http
    attached = http.post("/api/accounts/auth_token").json()["token"]
    http.get(f"/api/accounts/auth_token/{attached}/attach", headers=person.headers)
    link, _ = server.services.codes.reset_links.new(person.account)
    server.run(server.services.codes.reset_links.keep(link, server.account(person.id), Actor.system()))
    browser = Visitor(other.url)
    browser.sign_in(person)

    def recovers():
        body = {"phone": "+33612000001", "account_creation_token": server.creation_token()}
        return http.post("/api/accounts/recover-by-phone", json=body).status_code

    def provisions(path, **headers):
        return "auth_info_0" in http.get(path, headers={**PHONE, **headers}).text

    token = opened(server.account(person.id).provisioning_token)
    yield (
        person,
        {
            "key": lambda: http.get(ME, headers=person.headers).status_code == 200,
            "DIGEST": lambda: http.get(ME, headers=answer(person, nonce_of(asked(http, person)))).status_code == 200,
            "session": lambda: browser.open("/dashboard").url.path == "/dashboard",
            "external sign-in": lambda: http.get(f"/sip/auth?{query(person)}").text.startswith("Status: 200"),
            "own provisioning": lambda: provisions("/provisioning/me", **person.headers),
            "contacts": lambda: http.get("/contacts/vcard", headers=person.headers).status_code == 200,
            "reset link": lambda: http.get(f"/reset_password/{link}").status_code == 200,
            "recovery by phone": lambda: recovers() == 200,
            "QR page": lambda: http.get(f"/provisioning/qrcode/{token}").status_code == 200,
            "link": lambda: provisions(f"/provisioning/{token}"),
            "auth token": lambda: provisions(f"/provisioning/auth_token/{attached}"),
        },
    )
    browser.close()


def test_a_block_holds_on_every_host_at_once_and_its_end_too(server, other, ways):
    person, lets_in = ways
    boss = server.person(admin_since=server.clock.second())
    assert server.http.post(f"/api/accounts/{person.id}/block", headers=boss.headers).status_code == 200
    assert [name for name, way in lets_in.items() if way()] == []
    right = other.http.get(ME, headers=person.headers)
    assert (right.status_code, right.json()) == (403, {"message": "Account blocked"})
    assert other.http.post(f"/api/accounts/{person.id}/unblock", headers=boss.headers).status_code == 200
    # The session ended with the block; everything else comes back.
    assert [name for name, way in lets_in.items() if not way()] == ["session"]
