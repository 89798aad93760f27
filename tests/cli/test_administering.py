"""Commands for single accounts, beside a running server."""

import json

import httpx
import pytest
from click.testing import CliRunner

from flexiapi.cli import main


@pytest.fixture
def configure():
    return {"app": {"key": "k" * 40}, "spaces": {"b.example.org": {}}}


@pytest.fixture
def command(server, monkeypatch, tmp_path):
    """Run `flexiapi accounts` with the arguments on the database of the server."""
    settings = tmp_path / "flexiapi.toml"
    settings.write_text(
        f"[app]\nkey = '{'k' * 40}'\n[mongodb]\nuri = '{server.uri}'\ndatabase = '{server.settings.mongodb.database}'\n"
        f"[spaces.'b.example.org']\n[delivery]\nfallback_backend = 'outbox'\n[data]\npath = '{tmp_path}'\n"
    )
    return lambda *arguments, **options: CliRunner().invoke(
        main, ["--config", str(settings), "accounts", *arguments], **options
    )


def said(done):
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("name", ["id", "sip", "phone", "tel", "email", "username", "upper"])
def test_an_account_is_found_by_each_of_its_names(server, command, name):
    person = server.person("carol.singer", phone="+33612345678", email="carol@mail.example.net")
    names = {
        "id": str(person.id),
        "sip": f"<sip:{person.sip}>",
        "phone": "+33612345678",
        "tel": "tel:+33612345678",
        "email": "carol@mail.example.net",
        "username": "carol.singer",
        "upper": "Carol.Singer@SIP.example.org",
    }
    shown = json.loads(said(command("show", names[name], "--json")))
    assert (shown["id"], shown["address"], shown["state"]) == (person.id, person.sip, "active")
    assert "ha1" not in json.dumps(shown)


def test_one_name_in_two_spaces_must_be_told_apart(server, command):
    ids = {server.person("carol.singer", domain=domain).id for domain in ("sip.example.org", "b.example.org")}
    done = command("show", "carol.singer")
    assert done.exit_code == 1
    assert all(str(id_) in done.stderr for id_ in ids)
    assert "by its id" in done.stderr
    assert "b.example.org" in said(command("show", "carol.singer@b.example.org"))


def test_an_unknown_account_is_told_with_the_way_to_find_it(command, server):
    done = command("deactivate", "nobody@sip.example.org")
    assert done.exit_code == 1
    assert done.stderr == (
        "flexiapi: There is no account nobody@sip.example.org. Look for it: flexiapi accounts find BEGINNING\n"
    )


def test_lists_say_how_to_go_on(server, command):
    people = [server.person(f"person.{number}") for number in range(3)]
    first = command("list", "-n", "2")
    assert [line.split()[1] for line in said(first).splitlines()[1:]] == [person.sip for person in people[:2]]
    assert "2 of 3 accounts. The next: --skip 2" in first.stderr
    rest = command("list", "--skip", "2", "--json")
    assert [json.loads(line)["id"] for line in said(rest).splitlines()] == [people[2].id]
    assert "person.1" in said(command("find", "person.1"))
    assert command("find", "nothing").stderr == "0 of 0 accounts.\n"


def test_a_search_that_was_cut_says_so(server, command, monkeypatch):
    for number in range(3):
        server.person(f"person.{number}")
    assert "cut short" not in command("find", "erson").stderr
    monkeypatch.setattr("flexiapi.store.listings.MOST_OTHERS", 2)
    done = command("find", "erson")
    assert "The search was cut short: there may be more accounts." in done.stderr
    assert "2 of 2 accounts." in done.stderr
    assert "cut short" in command("find", "erson", "--json").stderr


def test_deactivation_ends_the_sign_in_and_activation_gives_it_back(server, http, alice, command):
    assert http.get("/api/accounts/me", headers=alice.headers).status_code == 200
    assert "is deactivated" in said(command("deactivate", alice.sip))
    assert http.get("/api/accounts/me", headers=alice.headers).status_code == 401
    assert "deactivated" in said(command("show", alice.sip))
    assert "is active" in said(command("activate", str(alice.id)))
    assert server.account(alice.id).activated


def test_deletion_asks_and_leaves_a_tombstone(server, http, admin, alice, command):
    assert command("delete", alice.sip, input="n\n").exit_code == 1
    assert server.account(alice.id) is not None
    assert "is deleted" in said(command("delete", alice.sip, "--yes"))
    assert server.account(alice.id) is None
    assert http.get(f"/api/accounts/{alice.id}", headers=admin.headers).status_code == 404


def test_the_last_administrator_stays(command, admin):
    done = command("delete", admin.sip, "--yes")
    assert done.exit_code == 1
    assert "administrator" in done.stderr


def test_a_password_set_by_command_signs_in_and_the_one_before_does_not(server, http, alice, command):
    done = said(command("set-password", alice.sip, "--generate"))
    password = done.split()[-1]
    sender = {"From": f"sip:{alice.sip}"}

    def status(secret):
        auth = httpx.DigestAuth(alice.account.username, secret)
        return http.get("/api/accounts/me", auth=auth, headers=sender).status_code

    assert status(password) == 200
    assert status(alice.password) == 401
    assert http.get("/api/accounts/me", headers=alice.headers).status_code == 401


def test_a_weak_password_is_refused_by_command_too(server, alice, command):
    done = command("set-password", alice.sip, input="password\npassword\n")
    assert done.exit_code == 1
    assert "commonest" in done.stderr


@pytest.mark.parametrize("password", ["Alice.Martin7", "sip.example.org"])
def test_the_own_name_and_the_domain_are_no_passwords_by_command_either(alice, command, password):
    done = command("set-password", alice.sip, input=f"{password}\n{password}\n")
    assert (done.exit_code, "password must not be the username or the domain" in done.stderr) == (1, True)


def test_the_printed_link_sets_up_one_phone(server, http, command):
    person = server.person("dave.diver", activated=False)
    printed = said(command("provision", person.sip))
    link = printed.split()[-1]
    assert "▀" in printed or "█" in printed
    path = link.partition("/provisioning/")[2]
    assert "ha1" in http.get(f"/provisioning/{path}").text
    assert server.account(person.id).activated
    assert "ha1" not in http.get(f"/provisioning/{path}").text


def test_the_printed_link_activates_an_account_that_the_public_made(server, http, command):
    body = {"username": "erin.early", "password": "correct-horse-battery", "algorithm": "SHA-256"}
    body |= {"email": "erin@mail.example.net", "account_creation_token": server.creation_token()}
    made = http.post("/api/accounts/public", json=body).json()
    link = said(command("provision", str(made["id"]), "--no-qr")).split()[-1]
    assert "ha1" in http.get(f"/provisioning/{link.rpartition('/')[2]}").text
    assert server.account(made["id"]).activated
