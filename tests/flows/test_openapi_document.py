"""schemathesis reads the server's own OpenAPI document, and tries to catch it lying."""

import subprocess
import sys

import pytest

from flexiapi.model import Action, DtmfProtocol
from tests.kit.server import WITHOUT_LIMITS

pytestmark = [pytest.mark.conformance, pytest.mark.long]

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
# They end the sign-in that the requests after them need.
LAST = ("getMyApiKey", "deleteMyApiKey", "deleteMe")


@pytest.fixture
def configure():
    return {"limits": WITHOUT_LIMITS}


@pytest.fixture
def key(server):
    """Of an administrator whose id is none of those that the document's examples and schemathesis' guesses have."""
    for number in range(20):
        server.person(f"person.{number}", dtmf_protocol=DtmfProtocol.SIPINFO, actions=(Action(5, "open", "1"),))
    server.run(server.services.accounts.types.add("intercom", server.actor))
    return server.person(admin_since=server.clock.second()).key


def schemathesis(server, key, folder, *options):
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/api/openapi.json"]
    command += ["--header", f"x-api-key: {key}", "--checks", ",".join(CHECKS), "--warnings", "off"]
    command += ["--phases", "examples,fuzzing", "--max-examples", "4", "--seed", "1", "--no-shrink", "--no-color"]
    run = subprocess.run([*command, *options], capture_output=True, text=True, cwd=folder, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_server_answers_as_its_document_says(server, key, tmp_path):
    schemathesis(server, key, tmp_path, *(part for name in LAST for part in ("--exclude-operation-id", name)))
    answered = {
        line.split("route=")[1].split()[0] for line in server.log.getvalue().splitlines() if "status=20" in line
    }
    assert len(answered) > 30
    assert server.http.get("/api/accounts/me", headers={"x-api-key": key}).status_code == 200
    schemathesis(server, key, tmp_path, *(part for name in LAST for part in ("--include-operation-id", name)))
