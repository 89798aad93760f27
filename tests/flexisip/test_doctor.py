"""Diagnosis of Flexisip's configuration."""

import asyncio
import contextlib
import os
import sqlite3
from pathlib import Path

import pytest

from flexiapi.flexisip import doctor
from flexiapi.flexisip.replica import SignInReplica
from flexiapi.settings import Settings
from tests.kit.ports import free_port
from tests.kit.sign_in_replica import Accounts, account


@pytest.fixture
def replica(tmp_path):
    path = tmp_path / "sip" / "auth.sqlite"

    async def make():
        made = SignInReplica(path, Accounts(account(1, "alice")))
        await made.start()
        await made.rebuild()
        await made.close()

    asyncio.run(make())
    return path


def found(tables=None, **flexisip):
    async def look():
        return [finding async for finding in doctor.findings(Settings(**(tables or {}), flexisip=flexisip))]

    return asyncio.run(look())


def test_a_replica_that_serves_is_right(replica):
    links = {finding.link: finding for finding in found(auth_replica=str(replica))}
    assert links["replica"].text == f"{replica} has 1 activated accounts"
    assert all(finding.is_right for link, finding in links.items() if link.startswith("replica"))


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("mode", "chmod 0640"),
        ("folder", "Only the server's user"),
        ("tables", "not as Flexisip needs it"),
        ("journal", "not as Flexisip needs it"),
        ("rubbish", "cannot be read"),
        ("absent", "is not there"),
        ("incomplete", "Wait until the server has compared"),
    ],
)
def test_what_is_wrong_with_the_replica_is_found(replica, fault, told):
    break_it(replica, fault)
    wrong = [finding for finding in found(auth_replica=str(replica)) if not finding.is_right]
    assert [told in f"{finding.text} {finding.advice}" for finding in wrong if "replica" in finding.link] == [True]


def break_it(replica, fault):
    statements = {
        "tables": "ALTER TABLE accounts RENAME TO people",
        "journal": "PRAGMA journal_mode = WAL",
        "incomplete": "DELETE FROM flexiapi",
    }
    if fault == "mode":
        replica.chmod(0o600)
    elif fault == "folder":
        replica.parent.chmod(0o777)
    elif fault == "rubbish":
        replica.write_bytes(os.urandom(8192))
    elif fault == "absent":
        replica.unlink()
    else:
        with contextlib.closing(sqlite3.connect(replica, isolation_level=None)) as file:
            file.execute(statements[fault])


def test_what_is_not_configured_is_told_and_not_called_wrong():
    assert [(finding.link, finding.is_configured, finding.is_right) for finding in found()] == [
        ("sign-in", False, True),
        ("registrar", False, True),
        ("proxy", False, True),
    ]
    assert all(finding.text.startswith("not configured: ") and finding.advice for finding in found())


def test_the_endpoint_replaces_the_replica():
    assert found(external_auth=True)[0].text == "at /sip/auth, asked from 127.0.0.0/8, ::1/128"
    lines = doctor.flexisip_conf(Settings(account={"realm": "Realm"}, flexisip={"external_auth": True}))
    assert "/sip/auth?method={method}&from={from}&domain={domain}&" in lines
    assert "realm=Realm\n" in lines


def test_what_does_not_answer_is_wrong_and_what_does_is_right(redis_server):
    redis = {"host": "127.0.0.1", "port": redis_server.port, "password": redis_server.password}
    proxy = {"proxy": f"sip:127.0.0.1:{free_port()};transport=tcp", "sender": "sip:api@sip.example.org"}
    links = {finding.link: finding for finding in found({"redis": redis}, **proxy, cli_socket="/nowhere/cli")}
    assert links["registrar"].is_right
    assert not links["cli socket"].is_right
    assert not links["proxy"].is_right


def test_the_guide_has_the_lines_that_doctor_prints():
    guide = (Path(__file__).parents[2] / "docs" / "flexisip.md").read_text()
    app = {"url": "https://api.example.org", "sip_domain": "sip.example.org"}
    for flexisip in ({"auth_replica": "/var/lib/flexiapi-sip/auth.sqlite"}, {"external_auth": True}):
        assert doctor.flexisip_conf(Settings(app=app, flexisip=flexisip)) in guide


def test_flexisip_is_to_offer_what_the_settings_take():
    for section in ({"auth_replica": "/var/lib/flexiapi-sip/auth.sqlite"}, {"external_auth": True}):
        assert "available-algorithms=SHA-256 MD5\n" in doctor.flexisip_conf(Settings(flexisip=section))
        without = doctor.flexisip_conf(Settings(account={"md5": False}, flexisip=section))
        assert "available-algorithms=SHA-256\n" in without
