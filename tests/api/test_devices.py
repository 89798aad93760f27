import socket
import subprocess
import time
from urllib.parse import quote

import pytest
import redis

from tests.kit.server import serving
from tests.kit.waiting import wait_for

UUID = "urn:uuid:0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
OTHER = "urn:uuid:ffffffff-4e5f-6071-8293-a4b5c6d7e8f9"


def binding(uuid, updated):
    return (
        f"<sip:alice@192.0.2.10:46211;transport=tls;fs-conn-id=5e8f2a;callid=0PqT~VdWxy;expires=3600;cseq=21;"
        f"updatedAt={updated};alias=no;usedAsRoute=no?path=%3Csip%3A192.0.2.1%3Blr%3E&accept="
        f'&user-agent=LinphoneAndroid/5.2.5%20(Galaxy%20S21)>;+sip.instance="<{uuid}>"'
    )


@pytest.fixture(scope="module")
def registrar(tmp_path_factory):
    """The socket of a real redis-server, which is ended with the module, and how to end it before."""
    path = tmp_path_factory.mktemp("redis") / "s"
    argv = ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(path.parent)]
    try:
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    except FileNotFoundError:
        pytest.fail("redis-server is not installed: apt-get install redis-server")
    wait_for(path.exists)
    yield path
    process.terminate()
    process.wait(60)


@pytest.fixture
def client(registrar):
    with redis.Redis(unix_socket_path=str(registrar)) as client:
        client.flushall()
        yield client


@pytest.fixture
def configure(registrar):
    return {"redis": {"url": f"unix://{registrar}"}}


def devices(server, person, method="GET", uuid=None, of="me"):
    path = f"/api/accounts/{of}/devices" + (f"/{quote(uuid, safe=':')}" if uuid else "")
    return server.http.request(method, path, headers=person.headers)


def test_devices_are_shown_by_their_uuid_and_removed_one_by_one(server, alice, client):
    assert devices(server, alice).json() == {}
    now = int(time.time())
    key = f"fs:{alice.sip}"
    client.hset(key, mapping={f'"<{UUID}>"': binding(UUID, now), f'"<{OTHER}>"': binding(OTHER, now - 10)})
    client.hset("fs:bob@sip.example.org", f'"<{UUID}>"', binding(UUID, now))
    shown = devices(server, alice).json()
    assert list(shown) == [UUID, OTHER]
    assert shown[UUID]["uuid"] == UUID
    assert shown[UUID]["user_agent"] == "LinphoneAndroid/5.2.5 (Galaxy S21)"
    assert shown[UUID]["update_time"] == time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(now))

    assert devices(server, alice, "DELETE", UUID).json() == {}
    assert devices(server, alice, "DELETE", UUID).status_code == 404
    assert list(devices(server, alice).json()) == [OTHER]
    assert client.hlen("fs:bob@sip.example.org") == 1


def test_administrators_see_and_remove_the_devices_of_an_account(server, alice, admin, client):
    now = int(time.time())
    client.hset(
        f"fs:{alice.sip}", mapping={f'"<{UUID}>"': binding(UUID, now), f'"<{OTHER}>"': binding(OTHER, now - 10)}
    )
    shown = devices(server, admin, of=alice.id).json()
    assert shown == devices(server, alice).json()
    assert list(shown) == [UUID, OTHER]
    assert devices(server, alice, of=alice.id).status_code == 403
    assert devices(server, admin, "DELETE", UUID, of=999).status_code == 404
    assert devices(server, admin, "DELETE", UUID, of=alice.id).json() == {}
    assert devices(server, admin, "DELETE", UUID, of=alice.id).status_code == 404
    assert list(devices(server, alice).json()) == [OTHER]


def test_a_registrar_that_is_away_is_told(tmp_path, mongod_uri):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with serving({"redis": {"host": "127.0.0.1", "port": port}}, tmp_path, mongod_uri) as server:
            alice = server.person("alice.martin")
            for answer in (devices(server, alice), devices(server, alice, "DELETE", UUID)):
                assert answer.status_code == 503
                assert int(answer.headers["retry-after"]) > 0


def test_without_a_registrar_nobody_has_devices(tmp_path, mongod_uri):
    with serving({}, tmp_path, mongod_uri) as server:
        alice = server.person("alice.martin")
        answer = devices(server, alice)
        assert (answer.status_code, answer.text) == (200, "{}")
        assert devices(server, alice, "DELETE", UUID).status_code == 404
