"""From the API to a call: accounts made over HTTP sign in at a real SIP server, with real user agents."""

import contextlib
import sqlite3
import time

import httpx
import pytest

from tests.kit.sign_in_replica import BY_REPLICA, MODULES, VIEW, registration

PASSWORD = "correct-horse-battery"

# A phone as it is out of the box: it knows where its configuration is, and nothing of SIP.
PHONE_UUID = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
NEW_PHONE = f"""
[misc]
config-uri={{}}
uuid={PHONE_UUID}
[sip]
sip_port=-1
sip_tcp_port=-1
sip_tls_port=-1
register_only_when_network_is_up=0
[net]
stun_server=
"""
BASE_FILE = """
[proxy_default_values]
reg_proxy=<{uri}>
reg_route=<{uri};lr>
reg_expires=600
"""

# What Flexisip's registrar does with each accepted REGISTER: Kamailio writes the binding into Redis in its encoding.
REDIS = """
loadmodule "ndb_redis.so"
modparam("ndb_redis", "server", "name=registrar;addr=127.0.0.1;port={port};db=0;pass={password}")
"""
BINDING = """
    if (is_method("REGISTER")) {
        $var(instance) = $(ct{tobody.params}{param.value,+sip.instance}{re.subst,/"//g});
        $var(uri) = $(ct{tobody.uri}) + ";callid=" + $(ci{s.escape.param}) + ";expires=" + $hdr(Expires)
            + ";cseq=" + $cs + ";updatedAt=" + $Ts + ";alias=no;usedAsRoute=no?path=&accept=&user-agent="
            + $(ua{s.escape.param});
        $var(contact) = "<" + $var(uri) + ">;+sip.instance=\\"" + $var(instance) + "\\"";
        $var(field) = "\\"" + $var(instance) + "\\"";
        redis_cmd("registrar", "HSET fs:%s %s %s", "$tU@$td", "$var(field)", "$var(contact)", "written");
    }
"""


@pytest.fixture
def replica(folder):
    return folder / "sip" / "auth.sqlite"


@pytest.fixture
def base_file(folder):
    return folder / "base.rc"


@pytest.fixture
def configure(replica, base_file, redis_server):
    redis = {"host": "127.0.0.1", "port": redis_server.port, "password": redis_server.password}
    return {
        "redis": redis,
        "flexisip": {"auth_replica": str(replica)},
        "account": {"provisioning_rc_file": str(base_file)},
    }


@pytest.fixture
def proxy_for(server, replica, base_file, kamailio, redis_server):
    """Start Kamailio on the replica of the running server: (algorithm) -> Kamailio."""

    def start(algorithm):
        with contextlib.closing(sqlite3.connect(replica)) as file:
            file.execute(VIEW.format(algorithm))
            file.commit()
        registrar = REDIS.format(port=redis_server.port, password=redis_server.password)
        proxy = kamailio(BY_REPLICA + BINDING, MODULES.format(algorithm=algorithm, path=replica) + registrar)
        base_file.write_text(BASE_FILE.format(uri=proxy.uri("tcp")))
        return proxy

    return start


@pytest.fixture
def make(http, admin):
    def post(username, algorithm, **fields):
        body = {"username": username, "password": PASSWORD, "algorithm": algorithm, "activated": True} | fields
        answer = http.post("/api/accounts", json=body, headers=admin.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return post


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_accounts_of_the_api_talk_until_they_are_deactivated(algorithm, http, admin, make, proxy_for, linphone_daemon):
    proxy = proxy_for(algorithm)
    alice = make("alice.martin", algorithm)
    make("bob.builder", algorithm)

    def agent(name, username):
        return linphone_daemon(name, proxy.agent(username, "tcp", PASSWORD))

    phones = [agent("alice", "alice.martin").registered(), agent("bob", "bob.builder").registered()]
    assert phones[0].ask("message sip:bob.builder@sip.example.org curiouser").startswith("Status: Ok")
    phones[1].wait(lambda: "curiouser" in phones[1].log)

    answer = http.post(f"/api/accounts/{alice['id']}/deactivate", headers=admin.headers)
    assert answer.status_code == 200, answer.text
    refused = agent("alice-again", "alice.martin")
    refused.wait(lambda: registration(refused) == "LinphoneRegistrationFailed")


@pytest.mark.parametrize(("algorithm", "release"), [("MD5", None), ("SHA-256", None), ("SHA-256", "5.3")])
def test_a_phone_that_knows_only_its_provisioning_url_registers_and_is_listed(
    algorithm, release, server, http, admin, make, proxy_for, linphone_daemon, redis_server
):
    proxy = proxy_for(algorithm)
    carol = make("carol.singer", algorithm, activated=False)
    listed = make("alice.martin", algorithm, display_name="Martin; Alice, the door")
    http.post(f"/api/accounts/{carol['id']}/contacts/{listed['id']}", headers=admin.headers).raise_for_status()
    url = f"{server.url}/provisioning/{carol['provisioning_token']}"
    phone = linphone_daemon("carol", NEW_PHONE.format(url), release)
    assert release is None or f"Version: {release}." in phone.ask("version")
    alice = linphone_daemon("alice", proxy.agent("alice.martin", "tcp", PASSWORD)).registered()

    def arrives():
        # The daemon lists the accounts of its start only; that it can be reached says that it is registered.
        alice.ask("message sip:carol.singer@sip.example.org curiouser")
        time.sleep(0.2)
        return "curiouser" in phone.log

    phone.wait(arrives)
    assert server.account(carol["id"]).activated
    phone.wait(lambda: "route=/contacts/vcard status=200" in server.log.getvalue())
    assert "Failed to parse the buffer" not in phone.log

    owner = {
        "auth": httpx.DigestAuth("carol.singer", PASSWORD),
        "headers": {"From": "sip:carol.singer@sip.example.org"},
    }
    shown = http.get("/api/accounts/me/devices", **owner).json()
    assert list(shown) == [f"urn:uuid:{PHONE_UUID}"]
    assert shown[f"urn:uuid:{PHONE_UUID}"]["user_agent"]
    assert http.delete(f"/api/accounts/me/devices/urn:uuid:{PHONE_UUID}", **owner).json() == {}
    assert not redis_server.client().exists("fs:carol.singer@sip.example.org")
