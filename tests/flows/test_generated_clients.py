"""Clients that generators make of the server's own OpenAPI document sign in, create, list and delete."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.checkout import ROOT
from tests.kit.fetched import fetched, node
from tests.kit.server import serving

pytestmark = [pytest.mark.conformance, pytest.mark.long]

COMPILER = ("--strict", "--skipLibCheck", "--target", "es2022", "--lib", "es2022,dom,dom.iterable")
MODULES = ("--module", "esnext", "--moduleResolution", "bundler", "--noEmit")

WITH_PYTHON = """
import json
import sys

from generated import AuthenticatedClient
from generated.api.accounts import delete_account_by_id, get_account_by_id, get_accounts, post_accounts
from generated.models import AccountCreation, AccountCreationAlgorithm

client = AuthenticatedClient(sys.argv[1], sys.argv[2], prefix="", auth_header_name="x-api-key")
values = {"username": "python.client", "password": "correct-horse-battery", "algorithm": "SHA-256"}
account = post_accounts.sync(client=client, body=AccountCreation.from_dict({**values, "activated": True}))
assert not hasattr(account, "errors"), account
names = [one.username for one in get_accounts.sync(client=client, activated=True, search="python").data]
refused = post_accounts.sync(client=client, body=AccountCreation.from_dict(values))
deleted = delete_account_by_id.sync_detailed(account.id, client=client).status_code
gone = get_account_by_id.sync_detailed(account.id, client=client).status_code
wrong = list(refused.errors.to_dict())
print(json.dumps([account.activated, names, wrong, int(deleted), int(gone)]))
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory, mongod_uri):
    with serving({}, tmp_path_factory.mktemp("generated"), mongod_uri) as server:
        yield server


@pytest.fixture
def document(running, tmp_path):
    path = tmp_path / "openapi.json"
    path.write_bytes(running.http.get("/api/openapi.json").content)
    return path


@pytest.fixture
def outcome(running, tmp_path):
    """Run a client with URL and API key: (command) -> what it prints."""
    key = running.person(admin_since=running.clock.second()).key

    def run(*command):
        return json.loads(ran(*command, running.url, key, cwd=tmp_path))

    return run


def ran(*command, cwd):
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    run = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def of(name):
    return [True, [name], ["username"], 200, 404]


@pytest.fixture
def compiled(tmp_path):
    """Check a client of TypeScript and make one file of it: (name) -> the command that runs it."""

    def build(name):
        source = tmp_path / name
        shutil.copy(ROOT / "tests" / "npm" / name, source)
        (tmp_path / "node_modules").symlink_to(fetched("npm", "node_modules"))
        ran(*node("typescript/bin/tsc"), *COMPILER, *MODULES, source, cwd=tmp_path)
        bundle = tmp_path / "client.mjs"
        ran(
            *node("esbuild/bin/esbuild"),
            source,
            "--bundle",
            "--platform=node",
            "--format=esm",
            f"--outfile={bundle}",
            cwd=tmp_path,
        )
        return [node("typescript/bin/tsc")[0], bundle]

    return build


def test_openapi_python_client(document, outcome, tmp_path):
    options = ("--path", document, "--output-path", tmp_path / "generated", "--meta", "none")
    ran(sys.executable, "-m", "openapi_python_client", "generate", *options, cwd=tmp_path)
    (tmp_path / "client.py").write_text(WITH_PYTHON)
    assert outcome(sys.executable, "client.py") == of("python.client")


def test_openapi_typescript(document, outcome, compiled, tmp_path):
    ran(*node("openapi-typescript/bin/cli.js"), document, "-o", tmp_path / "schema.d.ts", cwd=tmp_path)
    assert outcome(*compiled("with_types.ts")) == of("typed.client")


def test_hey_api(document, outcome, compiled, tmp_path):
    ran(*node("@hey-api/openapi-ts/bin/run.js"), "-i", document, "-o", tmp_path / "sdk", "--no-log-file", cwd=tmp_path)
    assert outcome(*compiled("with_sdk.ts")) == of("sdk.client")
