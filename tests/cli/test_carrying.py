"""Commands that carry accounts between servers and files; external accounts from one server to the other."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys

import httpx
import pytest
from click.testing import CliRunner

from flexiapi.cli import main
from tests.kit.server import serving

pytestmark = pytest.mark.long

SEED = [
    {
        "type": "account",
        "id": 5,
        "username": "marie",
        "domain": "sip.example.org",
        "activated": True,
        "passwords": [{"hash": "secret word", "algorithm": "CLRTXT"}],
        "alias": {"alias": "+33612345678", "domain": "sip.example.org"},
    },
    {
        "type": "account",
        "id": 6,
        "username": "pauline",
        "domain": "sip.example.org",
        "activated": False,
        "confirmation_key": "WatDmy0pTd4cO",
        "email": None,
        "passwords": [{"hash": "8a3f05c1c8d42c0bd2a42a3ee0d7b0d7", "algorithm": "MD5"}],
    },
    {
        "type": "range",
        "id": "%id%",
        "username": "user_%usernamePostfix%",
        "domain": "sip.example.org",
        "iteration": 3,
        "idStart": 100,
        "usernameStart": 7,
    },
]


def environment(server):
    settings = server.settings
    return {
        "MONGODB_URI": server.uri,
        "MONGODB_DATABASE": settings.mongodb.database,
        "APP_KEY": "k" * 40,
        "DATA_PATH": str(settings.data.path),
    }


@pytest.fixture
def command(server, monkeypatch):
    def run(*arguments, on=server, status=0, **options):
        for name, value in environment(on).items():
            monkeypatch.setenv(name, value)
        result = CliRunner().invoke(main, arguments, catch_exceptions=False, **options)
        assert result.exit_code == status, result.output
        return result.output

    return run


class TestSeed:
    @pytest.fixture
    def file(self, tmp_path):
        path = tmp_path / "accounts.json"
        path.write_text(json.dumps(SEED))
        return str(path)

    def test_accounts_and_ranges_are_written(self, server, http, admin, command, file):
        assert command("accounts", "seed", file) == "5 accounts written.\n"
        marie = http.get("/api/accounts/5", headers=admin.headers).json()
        assert (marie["username"], marie["email"], marie["phone"], marie["activated"]) == (
            *("marie", "marie@sip.example.org", "+33612345678"),
            True,
        )
        pauline = http.get("/api/accounts/6", headers=admin.headers).json()
        assert (pauline["activated"], pauline["confirmation_key"], pauline["email"]) == (False, "WatDmy0pTd4cO", None)
        for number, name in ((100, "user_7"), (101, "user_8"), (102, "user_9")):
            assert http.get(f"/api/accounts/{number}", headers=admin.headers).json()["username"] == name
            signed_in = {"auth": httpx.DigestAuth(name, "secret"), "headers": {"From": f"sip:{name}@sip.example.org"}}
            assert http.get("/api/accounts/me", **signed_in).status_code == 200
        assert server.person().id > 102

    def test_accounts_with_the_same_id_are_replaced_and_pages_stay_exact(self, server, http, admin, command, file):
        for _ in range(2):
            command("accounts", "seed", file)
            for _ in range(3):
                page = http.get("/api/accounts", headers=admin.headers).json()
                assert [account["id"] for account in page["data"]] == [1, 5, 6, 100, 101, 102]
                assert page["total"] == 6

    def test_a_name_of_somebody_else_stops_it(self, server, command, file):
        server.person("marie")
        told = command("accounts", "seed", file, status=1)
        assert "sip:marie@sip.example.org belongs to an account with another id" in told

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("{}", "which is a JSON list"),
            ('[{"type"]', "because it is not JSON: Expecting ':' delimiter"),
        ],
    )
    def test_what_is_no_such_file_is_told(self, command, tmp_path, text, why):
        path = tmp_path / "wrong.json"
        path.write_text(text)
        told = command("accounts", "seed", str(path), status=1)
        assert "This is not a file of accounts, " in told
        assert why in told

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"id": 0}, "account 2 (pauline, id 0): id: Input should be greater than or equal to 1"),
            ({"username": None}, "account 2 (id 6): username: "),
            ({"type": "other"}, 'account 2 (pauline, id 6): type is "account" or "range"'),
            ({"passwords": [{"hash": "x" * 32, "algorithm": "MD5"}]}, "MD5 has 32 hexadecimal digits"),
            ({"passwords": [{"hash": "ab" * 16, "algorithm": "SHA-256"}]}, "SHA-256 has 64 hexadecimal digits"),
            ({"passwords": [{"hash": "ab" * 32, "algorithm": "MD5"}]}, "MD5 has 32 hexadecimal digits"),
            ({"passwords": [{"hash": "", "algorithm": "CLRTXT"}]}, "passwords.0: the clear text is empty"),
            ({"passwords": [{"hash": "ab" * 16, "algorithm": "SHA-1"}]}, "passwords.0.algorithm: "),
        ],
    )
    def test_accounts_that_are_wrong_are_named_and_none_is_written(self, server, command, tmp_path, changes, why):
        path = tmp_path / "wrong.json"
        path.write_text(json.dumps([SEED[0], {**SEED[1], **changes}, {}, 7]))
        told = command("accounts", "seed", str(path), status=1)
        assert why in told
        assert "account 3: " in told
        assert "account 4: " in told
        assert "ab" * 16 not in told
        assert server.account(5) is None

    @pytest.mark.parametrize("wrong", [{"id": "%id%x"}, {"id": "9999999%id%"}])
    def test_ids_of_a_range_that_cannot_be(self, command, tmp_path, wrong):
        path = tmp_path / "wrong.json"
        path.write_text(json.dumps([{**SEED[2], **wrong}]))
        assert "account 1 (user_%usernamePostfix%): id: " in command("accounts", "seed", str(path), status=1)

    def test_a_long_list_of_wrong_ones_is_cut(self, command, tmp_path):
        path = tmp_path / "wrong.json"
        path.write_text(json.dumps([{}] * 12))
        assert "and 2 more\n" in command("accounts", "seed", str(path), status=1)

    def test_keys_that_mean_nothing_are_told(self, server, command, tmp_path):
        path = tmp_path / "accounts.json"
        accounts = [
            {**SEED[0], "emial": "marie@other.example.org", "alias": {"alias": "+33612345678", "kind": "mobile"}},
            {**SEED[1], "emial": "pauline@other.example.org"},
        ]
        path.write_text(json.dumps(accounts))
        assert command("accounts", "seed", str(path)).splitlines() == [
            "flexiapi: the key `emial` is unknown and ignored: account 1 (marie, id 5) and 1 more.",
            "flexiapi: the key `kind` is unknown and ignored: account 1 (marie, id 5).",
            "2 accounts written.",
        ]

    def test_a_hash_in_capitals_signs_in(self, server, http, command, tmp_path):
        ha1 = hashlib.md5(b"marie:sip.example.org:secret word").hexdigest().upper()
        path = tmp_path / "accounts.json"
        path.write_text(json.dumps([{**SEED[0], "passwords": [{"hash": ha1, "algorithm": "MD5"}]}]))
        command("accounts", "seed", str(path))
        sign_in = {"auth": httpx.DigestAuth("marie", "secret word"), "headers": {"From": "sip:marie@sip.example.org"}}
        assert http.get("/api/accounts/me", **sign_in).status_code == 200


class TestExternals:
    @pytest.fixture
    def configure(self):
        return {"account": {"consume_external_account_on_create": True}}

    @pytest.fixture
    def pool(self, server, mongod_uri, tmp_path, command):
        """Two accounts of another server, in the pool of this one."""
        file = str(tmp_path / "exported.json")
        with serving({"app": {"sip_domain": "other.example.org"}}, tmp_path / "other", mongod_uri) as other:
            os.environ["APP_SIP_DOMAIN"] = "other.example.org"
            try:
                command("accounts", "generate-external", "2", "phones", on=other, input="y\n")
                command("accounts", "export-to-externals", "phones", "-o", file, on=other)
            finally:
                del os.environ["APP_SIP_DOMAIN"]
        told = command("accounts", "import-externals", file)
        assert told == "2 external accounts added, 0 known already.\n"
        assert command("accounts", "import-externals", file) == "0 external accounts added, 2 known already.\n"
        return json.loads((tmp_path / "exported.json").read_text()), tmp_path / "exported.json"

    def create(self, http, admin, username):
        body = {"username": username, "password": "correct-horse", "algorithm": "SHA-256", "activated": True}
        return http.post("/api/accounts", json=body, headers=admin.headers)

    def test_the_file_has_random_accounts_and_only_its_owner_reads_it(self, pool):
        exported, path = pool
        assert path.stat().st_mode & 0o777 == 0o600
        assert {(len(one["username"]), one["domain"], one["group"], one["algorithm"]) for one in exported} == {
            (12, "other.example.org", "phones", "SHA-256")
        }
        assert {len(one["password"]) for one in exported} == {64}

    def test_an_existing_file_is_not_overwritten(self, pool, command):
        _, path = pool
        before = path.read_text()
        command("accounts", "generate-external", "1", "phones", "--yes")
        assert "exists" in command("accounts", "export-to-externals", "phones", "-o", str(path), status=1).lower()
        assert path.read_text() == before

    def test_a_group_that_is_not_there_leaves_no_file(self, command, tmp_path):
        path = tmp_path / "exported.json"
        told = command("accounts", "export-to-externals", "nogroup", "-o", str(path), status=1)
        assert told == "flexiapi: There is no group nogroup. Nothing was written.\n"
        assert not path.exists()

    def test_each_creation_takes_one_and_provisioning_shows_both(self, server, http, admin, pool):
        exported, _ = pool
        made = [self.create(http, admin, f"new.account{number}") for number in range(3)]
        assert [answer.status_code for answer in made] == [200, 200, 403]
        key = {"x-api-key": server.key_for(made[0].json()["id"])}
        shown = http.get("/provisioning/me", headers=key).text
        assert exported[0]["username"] in shown
        assert exported[0]["password"] in shown

    def test_the_hash_is_sealed_in_the_database(self, server, http, admin, pool):
        exported, _ = pool
        self.create(http, admin, "new.account")

        async def everything():
            found = []
            for name in ("external_accounts", "accounts"):
                found += await server.store._database[name].find().to_list(None)
            return repr(found)

        dump = server.run(everything())
        assert exported[0]["username"] in dump
        assert exported[0]["password"] not in dump

    def test_a_creation_that_fails_gives_it_back(self, server, http, admin, alice, pool):
        async def at_once():
            async with httpx.AsyncClient(base_url=server.url, headers=admin.headers, timeout=60) as client:
                body = {"username": "same.name", "password": "correct-horse", "algorithm": "SHA-256"}
                return await asyncio.gather(*(client.post("/api/accounts", json=body) for _ in range(2)))

        assert sorted(answer.status_code for answer in asyncio.run(at_once())) == [200, 422]
        assert self.create(http, admin, "next.name").status_code == 200
        assert self.create(http, admin, "last.name").status_code == 403

    def test_parallel_creations_never_share_one(self, server, http, admin, pool):
        async def at_once():
            async with httpx.AsyncClient(base_url=server.url, headers=admin.headers, timeout=60) as client:
                bodies = (
                    {"username": f"new.account{number}", "password": "correct-horse", "algorithm": "SHA-256"}
                    for number in range(10)
                )
                return await asyncio.gather(*(client.post("/api/accounts", json=body) for body in bodies))

        answers = asyncio.run(at_once())
        assert sorted(answer.status_code for answer in answers) == [200] * 2 + [403] * 8
        made = [server.account(answer.json()["id"]) for answer in answers if answer.is_success]
        assert len({account.external_account.username for account in made}) == 2

    def test_a_token_is_good_again_when_the_pool_is_empty(self, server, http, admin, pool):
        for number in range(2):
            self.create(http, admin, f"new.account{number}")
        body = {"username": "by.token", "password": "correct-horse", "algorithm": "SHA-256"}
        body["account_creation_token"] = server.creation_token()
        for _ in range(2):
            refused = http.post("/api/accounts/with-account-creation-token", json=body)
            assert refused.status_code == 403

    def test_one_that_was_used_stays_used_when_the_account_is_gone(self, server, http, admin, pool):
        made = [self.create(http, admin, f"new.account{number}").json() for number in range(2)]
        assert http.delete(f"/api/accounts/{made[0]['id']}", headers=admin.headers).status_code == 200
        assert self.create(http, admin, "another.one").status_code == 403

        async def owners():
            found = await server.store._database["external_accounts"].find().to_list(None)
            return [(one["used"], one.get("account_id")) for one in found]

        assert server.run(owners()) == [(True, None), (True, made[1]["id"])]

    def test_one_that_a_crash_left_claimed_is_freed(self, server, http, admin, pool):
        server.run(server.store.external_accounts.claim(server.clock.now(), server.actor))
        self.create(http, admin, "has.the.other")
        assert self.create(http, admin, "too.early").status_code == 403
        assert server.run(server.services.accounts.upkeep.tokens(server.actor)) == 0
        server.later(hours=2)
        assert server.run(server.services.accounts.upkeep.tokens(server.actor)) == 1
        admin.key = server.key_for(admin.id)
        assert self.create(http, admin, "in.time").status_code == 200

    def test_a_new_group_is_asked_for(self, server, command):
        told = command("accounts", "generate-external", "1", "newgroup", status=1, input="n\n")
        assert "There is no group newgroup yet" in told
        assert server.run(server.services.accounts.external_accounts.has_group("newgroup")) is False
        command("accounts", "generate-external", "1", "newgroup", "--yes")
        assert server.run(server.services.accounts.external_accounts.has_group("newgroup")) is True


def test_commands_work_while_no_server_runs(tmp_path):
    file = tmp_path / "accounts.json"
    file.write_text(json.dumps(SEED))

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "flexiapi", *arguments],
            env={"PATH": os.environ["PATH"], "DATA_PATH": str(tmp_path / "data")},
            capture_output=True,
            text=True,
            timeout=150,
            check=True,
        )
        return done.stdout

    assert "5 accounts written." in run("accounts", "seed", str(file))
    assert "1 accounts would be removed" in run("accounts", "clear-unconfirmed", "0")
    assert "1 unconfirmed accounts removed" in run("clean", "--unconfirmed-days", "0", "--apply")
