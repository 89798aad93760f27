"""A block that one host sets holds on another one from its next request on, wherever the account comes in."""

import pytest

from flexiapi.crypto.keys import opened
from flexiapi.errors import RecordNotFound
from flexiapi.model import Actor, ActorKind
from tests.api.test_sip_auth import query
from tests.kit import sign_in_replica
from tests.kit.digest import ME, answer, asked, nonce_of
from tests.kit.server import Server, serving
from tests.kit.visitor import Visitor
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.security

PHONE = {"X-Linphone-Provisioning": "1"}


@pytest.fixture(scope="module")
def server(tmp_path_factory, mongod_uri):
    folder = tmp_path_factory.mktemp("first")
    tables = {"flexisip": {"external_auth": True, "auth_replica": str(folder / "auth.sqlite")}}
    with serving(tables, folder, mongod_uri) as running:
        yield running


@pytest.fixture(scope="module")
def replica(tmp_path_factory):
    """The sign-in replica of the second host."""
    return tmp_path_factory.mktemp("second") / "auth.sqlite"


@pytest.fixture(scope="module")
def other(server, replica):
    """A second host of the same installation, with a replica of its own."""
    flexisip = server.settings.flexisip.model_copy(update={"auth_replica": replica})
    made = Server(server.settings.model_copy(update={"flexisip": flexisip}), server.uri).start()
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


def test_a_row_of_the_replica_goes_on_every_host_and_comes_back(server, other, replica):
    person = server.person()
    boss = server.person(admin_since=server.clock.second())
    mine, name = server.settings.flexisip.auth_replica, person.account.username
    wait_for(lambda: sign_in_replica.asked(replica, name))
    assert other.http.post(f"/api/accounts/{person.id}/block", headers=boss.headers).status_code == 200
    assert not sign_in_replica.asked(replica, name)  # that of the host that answered, before its answer
    wait_for(lambda: not sign_in_replica.asked(mine, name))
    assert server.http.post(f"/api/accounts/{person.id}/unblock", headers=boss.headers).status_code == 200
    assert sign_in_replica.asked(mine, name)
    wait_for(lambda: sign_in_replica.asked(replica, name))


def test_a_blocked_account_stays_a_contact_of_others(server, other):
    blocked = server.person()
    person = server.person(contact_ids=(blocked.id,))
    server.apply(server.account(blocked.id).block(server.clock.second()))
    assert blocked.sip in other.http.get("/contacts/vcard", headers=person.headers).text


def test_a_browser_that_shows_a_qr_code_is_not_signed_in_by_a_block_meanwhile(server, other):
    qr, person = other.services.sign_in.qr, server.person()
    shown = other.run(qr.ask(Actor(ActorKind.ANONYMOUS, address="192.0.2.9", user_agent="Firefox")))
    number = other.run(qr.request(shown.token, other.store.spaces.default)).browser.number
    other.run(qr.approve(shown.token, number, server.account(person.id), Actor.system()))
    server.apply(server.account(person.id).block(server.clock.second()))
    with pytest.raises(RecordNotFound):
        other.run(qr.redeem(shown.token, shown.secret, Actor.system()))


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
