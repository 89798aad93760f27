"""The release before the document layout had numbers, as a server process, and a database that it wrote.

`python -m tests.kit.old_release` writes the database anew with the wheel of that release, into the file beside it.
"""

import re
import sys
import tempfile
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from bson import json_util
from pymongo import MongoClient

from flexiapi.store import EmbeddedMongod
from tests.kit.server_process import ServerProcess

DATA = Path(__file__).parents[1] / "data"
WHEEL = DATA / "before-the-house.whl"
WRITTEN = DATA / "before-the-house.json"
KEY = "the application key of before the house"
DOMAIN = "sip.example.org"
PASSWORD = "correct-horse-battery"


def unpacked(folder: Path) -> Path:
    """Unpack the wheel as a checkout of its release lies on the disk, and return its folder."""
    release = folder / "old-release"
    with zipfile.ZipFile(WHEEL) as wheel:
        wheel.extractall(release)
    (templates,) = release.glob("*.data/data/share/flexiapi/templates")
    templates.rename(release / "templates")
    return release


def old_server(folder: Path, release: Path, **environment: str) -> ServerProcess:
    """Return a server of the old release that is not started yet."""
    first = {"PYTHONPATH": str(release), "PYTHONSAFEPATH": "1", "APP_KEY": KEY, "APP_SIP_DOMAIN": DOMAIN}
    return ServerProcess(folder, **{**first, **environment})


@pytest.fixture
def old_release(tmp_path):
    """(**environment) -> a running server of the release before the layout had numbers."""
    release, started = unpacked(tmp_path), []

    def start(**environment: str) -> ServerProcess:
        server = old_server(tmp_path / f"old-{len(started)}", release, **environment)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.stop()


def load(uri: str, database: str) -> dict:
    """Write the database as if its release had done so just now, and return the secrets of its people."""
    written = json_util.loads(WRITTEN.read_text(), json_options=json_util.JSONOptions(tz_aware=True))
    age = datetime.now(UTC) - written["written_at"]
    with MongoClient(uri) as client:
        for name, documents in written["collections"].items():
            client[database][name].insert_many(_later(documents, age))
    return written["secrets"]


def _later(value, age: timedelta):
    """Move all times in a value."""
    if isinstance(value, datetime):
        return value + age
    if isinstance(value, dict):
        return {name: _later(item, age) for name, item in value.items()}
    return [_later(item, age) for item in value] if isinstance(value, list) else value


class Author:
    """Lets a server of the old release make accounts of every kind, and notes their secrets."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self.secrets = {"admin": server.command("accounts", "create-admin", "the.admin", "--api-key")}
        self.secrets["admin"] = re.search(r"API key +(\w{40})", self.secrets["admin"])[1]
        self._admin = httpx.Client(base_url=server.url, timeout=60, headers={"x-api-key": self.secrets["admin"]})
        self._anyone = httpx.Client(base_url=server.url, timeout=60, headers={"Accept": "application/json"})

    def write(self) -> None:
        """Make everything."""
        alice, bob = self._alice(), self._account("bob.martin", "MD5")
        self._given(self._admin.post(f"/api/accounts/{alice}/contacts/{bob}"))
        listed = self._given(self._admin.post("/api/contacts_lists", json={"title": "all", "description": "x"}))["id"]
        self._given(self._admin.post(f"/api/contacts_lists/{listed}/contacts/{alice}"))
        self._given(self._admin.post(f"/api/accounts/{bob}/contacts_lists/{listed}"))
        self._given(self._admin.get(f"/api/accounts/{self._account('judy.away')}/deactivate"))
        self._given(self._admin.delete(f"/api/accounts/{self._account('ivan.gone')}"))
        self._pending()
        self._tokens(alice)
        self._of_files()
        # From the first page on it remembers numbers of accounts.
        self._given(self._admin.get("/api/accounts"))

    def _given(self, answer):
        assert answer.is_success, (str(answer.request.url), answer.status_code, answer.text)
        return answer.json() if answer.content and answer.headers["content-type"] == "application/json" else answer.text

    def _account(self, name: str, algorithm: str = "SHA-256", **fields) -> int:
        body = {"username": name, "password": PASSWORD, "algorithm": algorithm, "activated": True, **fields}
        return self._given(self._admin.post("/api/accounts", json=body))["id"]

    def _alice(self) -> int:
        names = {"email": "alice@example.org", "phone": "+33612345678", "display_name": "Alice"}
        alice = self._account("alice.martin", **names, dtmf_protocol="sipinfo")
        self._given(self._admin.post(f"/api/accounts/{alice}/actions", json={"key": "door", "code": "12"}))
        kind = self._given(self._admin.post("/api/account_types", json={"key": "phone"}))["id"]
        self._given(self._admin.post(f"/api/accounts/{alice}/types/{kind}"))
        self.secrets["alice"] = self._signed_in("alice.martin", "/api/accounts/me/api_key")
        self.secrets["provisioning"] = self._given(self._admin.get(f"/api/accounts/{alice}/provision"))[
            "provisioning_token"
        ]
        return alice

    def _signed_in(self, name: str, path: str, **fields):
        auth = httpx.DigestAuth(name, PASSWORD)
        headers = {"From": f"sip:{name}@{DOMAIN}"}
        with httpx.Client(base_url=self._server.url, timeout=60, auth=auth, headers=headers) as client:
            return self._given(client.post(path, json=fields) if fields else client.get(path))

    def _pending(self) -> None:
        """Make accounts whose codes are under way."""
        self._account("frank.phone", phone="+33611111111")
        token = self._creation_token()
        body = {"phone": "+33611111111", "account_creation_token": token}
        self._given(self._anyone.post("/api/accounts/recover-by-phone", json=body))
        self.secrets["recovery"] = self._sent("sms")
        body = {"username": "dave.new", "password": PASSWORD, "algorithm": "SHA-256", "domain": DOMAIN}
        body |= {"email": "dave@example.org", "account_creation_token": self._creation_token()}
        self._given(self._anyone.post("/api/accounts/public", json=body))
        self.secrets["activation"] = self._sent("mail")
        self._account("grace.moving", email="grace@example.org", phone="+33622222222")
        self._signed_in("grace.moving", "/api/accounts/me/email/request", email="grace@example.net")
        self.secrets["email_change"] = self._sent("mail")
        self._signed_in("grace.moving", "/api/accounts/me/phone/request", phone="+33633333333")
        self.secrets["phone_change"] = self._sent("sms")
        expires = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d %H:%M:%S")
        fields = {"activated": False, "email": "carol@example.org", "confirmation_key_expires": expires}
        self._account("carol.invited", **fields)

    def _creation_token(self) -> str:
        return self._given(self._admin.post("/api/account_creation_tokens"))["token"]

    def _sent(self, transport: str) -> str:
        """Return the code of the last message."""
        lines = (self._server.folder / "outbox.jsonl").read_text().splitlines()
        last = json_util.loads(lines[-1])
        assert last["transport"] == transport, last
        code = re.search(r"\b(\d{4}|[\w]{13})\b", last["text"].replace("https://", ""))
        return code[1]

    def _tokens(self, alice: int) -> None:
        self.secrets["creation_token"] = self._creation_token()
        self.secrets["auth_token"] = self._given(self._anyone.post("/api/accounts/auth_token"))["token"]
        with httpx.Client(base_url=self._server.url, headers={"x-api-key": self.secrets["alice"]}) as client:
            self._given(client.get(f"/api/accounts/auth_token/{self.secrets['auth_token']}/attach"))
        self._given(self._anyone.post("/api/account_creation_request_tokens"))
        push = {"pn_provider": "fcm", "pn_param": "929724111839", "pn_prid": "dA1b:APA91b_x-y"}
        self._given(self._anyone.post("/api/account_creation_tokens/send-by-push", json=push))

    def _of_files(self) -> None:
        folder = self._server.folder
        (folder / "seed.json").write_text(
            json_util.dumps(
                [
                    {
                        "type": "account",
                        "id": 100,
                        "username": "sybil.seeded",
                        "domain": DOMAIN,
                        "activated": True,
                        "passwords": [{"hash": PASSWORD, "algorithm": "CLRTXT"}],
                    }
                ]
            )
        )
        self._server.command("accounts", "seed", str(folder / "seed.json"))
        self._server.command("accounts", "generate-external", "2", "partners", "--yes")
        external = {"username": "out", "domain": "other.example.org", "group": "g", "algorithm": "MD5"}
        external["password"] = "0" * 32
        (folder / "externals.json").write_text(json_util.dumps([external, {**external, "username": "out.two"}]))
        self._server.command("accounts", "import-externals", str(folder / "externals.json"))
        self._server.stop()
        self._server.environment["ACCOUNT_CONSUME_EXTERNAL_ACCOUNT_ON_CREATE"] = "true"
        self._server.start()
        body = {"username": "heidi.out", "password": PASSWORD, "algorithm": "SHA-256"}
        body["account_creation_token"] = self._creation_token()
        self._given(self._anyone.post("/api/accounts/with-account-creation-token", json=body))


def write() -> None:
    """Write the database of the old release into its file."""
    with tempfile.TemporaryDirectory(prefix="flexiapi-old-", dir="/dev/shm") as name:
        folder = Path(name)
        mongod = EmbeddedMongod(folder / "mongod")
        mongod.start()
        variables = {"MONGODB_URI": mongod.uri, "APP_DANGEROUS_ENDPOINTS": "true"}
        server = old_server(folder / "data", unpacked(folder), **variables)
        server.folder.mkdir()
        try:
            author = Author(server.start())
            author.write()
        finally:
            server.stop()
            sys.stderr.write(server.log.read_text())
            collections = dump(mongod.uri, "flexiapi")
            mongod.stop()
        written = {"written_at": datetime.now(UTC), "secrets": author.secrets, "collections": collections}
        WRITTEN.write_text(json_util.dumps(written, indent=1, ensure_ascii=False) + "\n")


def dump(uri: str, database: str) -> dict[str, list[dict]]:
    """Return all documents of a database by collection."""
    with MongoClient(uri, tz_aware=True) as client:
        names = sorted(client[database].list_collection_names())
        found = {name: list(client[database][name].find().sort("_id")) for name in names}
    return {name: documents for name, documents in found.items() if documents}


if __name__ == "__main__":
    write()
