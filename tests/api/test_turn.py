"""Credentials of the TURN service."""

import base64
import hashlib
import re

import pytest
from pydantic import ValidationError

from flexiapi.settings import TurnSettings
from tests.kit.server import serving, shared_by_module

SECRET = "north-wind-and-sun"
URIS = ["turn:turn.example.org:3478?transport=udp", "turns:turn.example.org?transport=tcp", "stun:[2001:db8::1]"]
PATH = "/api/accounts/me/services/turn"

server = shared_by_module({"turn": {"uris": URIS, "secret": SECRET, "minutes": 10}})


def password_of(username, secret=SECRET):
    """HMAC-SHA1 as RFC 2104 writes it, without the library that the server uses."""
    key = secret.encode().ljust(64, b"\0")
    inner = hashlib.sha1(bytes(byte ^ 0x36 for byte in key) + username.encode()).digest()
    return base64.b64encode(hashlib.sha1(bytes(byte ^ 0x5C for byte in key) + inner).digest()).decode()


def test_the_credentials_are_those_that_the_server_computes(server, http):
    me = server.person()
    before = int(server.clock.now().timestamp())
    answer = http.get(PATH, headers=me.headers)
    assert (answer.status_code, "no-store" in answer.headers["cache-control"]) == (200, True)
    given = answer.json()
    assert given.keys() == {"username", "password", "ttl", "uris"}
    end, random = re.fullmatch(r"([0-9]+):([A-Za-z0-9]{16})", given["username"]).groups()
    assert before + 600 <= int(end) <= before + 660
    assert (given["ttl"], given["uris"]) == (600, URIS)
    assert given["password"] == password_of(given["username"])
    assert random not in http.get(PATH, headers=me.headers).json()["username"]
    assert SECRET not in answer.text


def test_the_computation_is_the_one_that_is_published():
    """A vector of RFC 2202: key `Jefe`."""
    known = base64.b64encode(bytes.fromhex("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")).decode()
    assert password_of("what do ya want for nothing?", "Jefe") == known


def test_an_account_that_is_not_activated_gets_none(server, http):
    waiting = server.person(activated=False)
    refused = http.get(PATH, headers=waiting.headers)
    assert (refused.status_code, refused.json()["message"]) == (
        403,
        "Only an activated account may use the TURN service.",
    )
    assert http.get(PATH, headers={"x-api-key": "wrong"}).status_code == 401


def test_the_user_name_may_show_the_address(mongod_uri, tmp_path):
    tables = {"turn": {"uris": URIS[:1], "secret": SECRET, "username_has_address": True}}
    with serving(tables, tmp_path, mongod_uri) as other:
        me = other.person()
        given = other.http.get(PATH, headers=me.headers).json()
        assert given["username"].partition(":")[2] == me.account.address
        assert (given["password"], given["ttl"]) == (password_of(given["username"]), 86400)


def test_without_servers_there_is_no_service(mongod_uri, tmp_path):
    with serving({}, tmp_path, mongod_uri) as other:
        refused = other.http.get(PATH, headers=other.person().headers)
        assert (refused.status_code, refused.json()["message"]) == (404, "No TURN service configured")


@pytest.mark.parametrize(
    "uri",
    ["turn.example.org", "turn:", "http://x", "turn:u@x", "stun:x?transport=udp", "turn:x?transport=tls", "turn:x y"],
)
def test_a_malformed_uri_is_told(uri):
    with pytest.raises(ValidationError, match="is no URI of a server"):
        TurnSettings(uris=[uri], secret="s")


def test_servers_without_a_secret_are_told():
    with pytest.raises(ValidationError, match="uris without secret"):
        TurnSettings(uris=URIS)
