import asyncio
import os
import socket
import time
from datetime import UTC, datetime, timedelta

import pytest

from flexiapi.errors import RegistrarUnavailable
from flexiapi.flexisip.cli_socket import CliRegistrar, CliSocket
from flexiapi.model import PushAddress
from tests.kit.cli_socket import Flexisip

UUID = "urn:uuid:0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
ALICE = "alice@sip.example.org"
NOW = int(time.time())


def contact(unique_id, **more):
    return {
        "contact": "sip:alice@192.0.2.10:46211;transport=tls;pn-provider=fcm;pn-param=9;pn-prid=a;fs-conn-id=5e8f2a",
        "unique-id": unique_id,
        "user-agent": "LinphoneAndroid/5.2.5 (Galaxy S21)",
        "update-time": NOW,
        "expires-at": NOW + 3600,
        "call-id": "0PqT~VdWxy",
        "cseq": 21,
        "q": 1.0,
        "alias": 0,
        "path": ["sip:192.0.2.1:5061;transport=tls;lr"],
        "accept": ["application/sdp"],
    } | more


@pytest.fixture
def path(folder):
    return folder / "flexisip-proxy-42"


def of(path, timeout=30.0):
    return CliRegistrar(CliSocket(str(path), timedelta(seconds=timeout)))


def seed(flexisip):
    flexisip.records[f"sip:{ALICE}"] = [
        contact("fs-gen-Zm9v", **{"update-time": NOW - 20, "user-agent": ""}),
        contact(f'"<{UUID}>"'),
        contact('"<urn:uuid:gone>"', **{"expires-at": NOW - 1}),
        contact("fs-cli-gen-1", alias=1),
    ]


def test_lists_live_devices_the_last_updated_first(path):
    with Flexisip(path) as flexisip:
        seed(flexisip)
        devices = asyncio.run(of(path).devices(ALICE))
    assert [(device.uuid, device.user_agent) for device in devices] == [
        (UUID, "LinphoneAndroid/5.2.5 (Galaxy S21)"),
        ("fs-gen-Zm9v", ""),
    ]
    assert devices[0].updated_at == datetime.fromtimestamp(NOW, UTC)
    assert devices[0].expires_at == datetime.fromtimestamp(NOW + 3600, UTC)
    assert (devices[0].host, devices[0].push) == ("192.0.2.10", PushAddress("fcm", "9", "a"))
    assert flexisip.commands == [f"REGISTRAR_GET sip:{ALICE}"]


def test_a_contact_with_only_its_unique_id_is_a_device(path):
    with Flexisip(path) as flexisip:
        flexisip.records[f"sip:{ALICE}"] = [{"unique-id": "x"}]
        assert [device.uuid for device in asyncio.run(of(path).devices(ALICE))] == ["x"]


@pytest.mark.parametrize("error", ["Error - ", "Error: ", "Error "])
def test_an_unknown_address_has_no_devices(path, error):
    with Flexisip(path, error=error) as flexisip:
        assert asyncio.run(of(path).devices("nobody@sip.example.org")) == []
        assert not asyncio.run(of(path).remove("nobody@sip.example.org", UUID))
        assert asyncio.run(of(path).devices("no body@sip.example.org")) == []
    assert flexisip.commands == ["REGISTRAR_GET sip:nobody@sip.example.org"] * 2


def test_removing_names_the_binding_as_it_is_stored(path):
    with Flexisip(path) as flexisip:
        seed(flexisip)
        assert asyncio.run(of(path).remove(ALICE, UUID))
        assert not asyncio.run(of(path).remove(ALICE, UUID))
        assert not asyncio.run(of(path).remove(ALICE, "fs-cli-gen-1"))
        assert not asyncio.run(of(path).remove(ALICE, "x y\n"))
    assert [command for command in flexisip.commands if "DELETE" in command] == [
        f'REGISTRAR_DELETE sip:{ALICE} "<{UUID}>"'
    ]


@pytest.mark.parametrize("last_is_404", [False, True])
def test_removing_the_last_binding_succeeds_with_old_and_new_versions(path, last_is_404):
    with Flexisip(path, error="Error: " if last_is_404 else "Error - ", last_is_404=last_is_404) as flexisip:
        flexisip.records[f"sip:{ALICE}"] = [contact(f'"<{UUID}>"')]
        assert asyncio.run(of(path).remove(ALICE, UUID))
        assert asyncio.run(of(path).devices(ALICE)) == []


def test_forgetting_credentials_is_no_failure_when_none_are_cached(path):
    with Flexisip(path) as flexisip:
        flexisip.cache.add(("alice", "sip.example.org"))
        cli = CliSocket(str(path))
        asyncio.run(cli.forget_credentials("alice", "sip.example.org"))
        asyncio.run(cli.forget_credentials("alice", "sip.example.org"))
        assert not flexisip.cache
    assert flexisip.commands == ["AUTH_CACHE_DELETE alice sip.example.org"] * 2


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "silence",
        "Error - 500 Internal Server Error",
        "Error: 503",
        "Error - Invalid arguments",
        "{",
        '{"contacts":3}',
    ],
)
def test_what_is_no_record_makes_the_registrar_unavailable(path, answer):
    with Flexisip(path) as flexisip:
        flexisip.answer = answer
        with pytest.raises(RegistrarUnavailable):
            asyncio.run(of(path, timeout=0.2).devices(ALICE))


def test_a_refused_deletion_makes_the_registrar_unavailable(path):
    with Flexisip(path) as flexisip:
        seed(flexisip)
        flexisip.registrar_delete = lambda *_: "Error - 504 Gateway Timeout"
        with pytest.raises(RegistrarUnavailable):
            asyncio.run(of(path).remove(ALICE, UUID))


def test_a_binding_too_long_for_a_command_cannot_be_removed(path):
    with Flexisip(path) as flexisip:
        flexisip.records[f"sip:{ALICE}"] = [contact("x" * 500)]
        with pytest.raises(RegistrarUnavailable):
            asyncio.run(of(path).remove(ALICE, "x" * 500))
    assert len(flexisip.commands) == 1


def test_commands_of_511_bytes_pass_whole_and_longer_ones_are_refused(path):
    with Flexisip(path) as flexisip:
        flexisip.answer = "ok"
        longest = "CONFIG_GET " + "x" * 500
        assert asyncio.run(CliSocket(str(path), timedelta(seconds=30)).ask(*longest.split())) == "ok"
        for words in (["CONFIG_GET", "x" * 501], ["CONFIG_GET", "a b"], ["CONFIG_GET", "a\n"], ["CONFIG_GET", ""]):
            with pytest.raises(ValueError, match="cannot carry"):
                asyncio.run(CliSocket(str(path)).ask(*words))
    assert flexisip.commands == [longest]


def test_an_absent_socket_makes_the_registrar_unavailable(path):
    for absent in (path, f"{path.parent}/flexisip-proxy-*"):
        for attempt in (of(absent).check(), of(absent).devices(ALICE), of(absent).remove(ALICE, UUID)):
            with pytest.raises(RegistrarUnavailable):
                asyncio.run(attempt)


def test_a_star_stands_for_the_newest_process_that_answers(folder):
    left_behind, newest, older = (folder / f"flexisip-proxy-{pid}" for pid in (900, 17, 80))
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(left_behind))
    with Flexisip(newest) as running, Flexisip(older) as other:
        for age, each in enumerate((left_behind, newest, older)):
            os.utime(each, (NOW - age, NOW - age))
        asyncio.run(of(folder / "flexisip-proxy-*").check())
    assert (len(running.commands), len(other.commands)) == (1, 0)
