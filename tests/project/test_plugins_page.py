"""docs/plugins.md, followed as it stands in a fresh environment."""

import os
import re
import secrets
import shutil
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from flexiapi.testing import Gateway
from tests.kit.ports import free_port

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "plugins.md"
BLOCK = re.compile(r"^```(console|toml) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A folder with the source code of flexiapi, which no package index has."""
    folder = tmp_path_factory.mktemp("sources") / "flexiapi"
    folder.mkdir()
    for name in ("flexiapi", "templates", "config"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, folder)
    return folder


def script_and_output(page):
    """The page's commands as a shell script, and the pieces of output that it promises, in their order."""
    lines, promised = ["set -e"], []
    for language, file, content in BLOCK.findall(page):
        if language == "toml" and file:
            lines.append(f"cat > {file} <<'END'\n{content}END")
        if language == "console":
            for line in content.splitlines():
                (lines if line.startswith("$ ") else promised).append(line.removeprefix("$ "))
    return "\n".join(lines), promised


@dataclass
class Followed:
    """Return the folder that results from following the page."""

    folder: Path
    environment: dict[str, str]
    gateway_port: int
    promised: list[str]
    done: subprocess.CompletedProcess


@pytest.fixture(scope="module")
def followed(sources, tmp_path_factory):
    port = free_port()
    script, promised = script_and_output(PAGE.read_text().replace("9911", str(port)))
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    pip = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "HTTP", "http", "SSL_"))}
    quiet = {"PIP_QUIET": "1", "PIP_NO_COMPILE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment = {**kept, **pip, **quiet, "FLEXIAPI": str(sources)}
    folder = tmp_path_factory.mktemp("page")
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return Followed(folder, environment, port, promised, done)


@pytest.mark.timeout(900)
def test_the_page_leads_to_an_installed_backend(followed):
    output, errors = followed.done.stdout, followed.done.stderr
    assert followed.done.returncode == 0, output + errors
    assert len(followed.promised) > 5
    position = 0
    for piece in followed.promised:
        position = output.find(piece, position)
        assert position >= 0, f"{piece!r} is not in its place in:\n{output}\n{errors}"


@contextmanager
def serving(followed, mongod_uri):
    """The server of the page's environment, with the settings of the page: a client, and a run of its command."""
    port = free_port()
    environment = {
        **followed.environment,
        "MONGODB_URI": mongod_uri,
        "MONGODB_DATABASE": f"test_{secrets.token_hex(8)}",
        "SERVER_PORT": str(port),
        "SERVER_PROCESSES": "1",
        "APP_DANGEROUS_ENDPOINTS": "true",
        "DATA_PATH": str(followed.folder / "var"),
    }
    command = [str(followed.folder / "venv/bin/flexiapi"), "--config", "flexiapi.toml"]

    def run(*arguments):
        options = {"cwd": followed.folder, "env": environment, "capture_output": True, "text": True}
        return subprocess.run([*command, *arguments], check=True, **options).stdout

    with (
        (followed.folder / "serve.log").open("w") as log,
        subprocess.Popen([*command, "serve"], cwd=followed.folder, env=environment, stdout=log, stderr=log) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        try:
            while True:
                assert server.poll() is None, (followed.folder / "serve.log").read_text()
                with suppress(httpx.TransportError):
                    client.get("/api/ping")
                    break
                time.sleep(0.1)
            yield client, run
        finally:
            server.terminate()


@pytest.mark.timeout(900)
def test_the_backend_sends_the_code_of_a_recovery(followed, mongod_uri):
    gateway = Gateway()
    gateway.port = followed.gateway_port
    with gateway, serving(followed, mongod_uri) as (client, run):
        printed = run("accounts", "create-admin", "root.admin", "--api-key")
        admin = {"x-api-key": re.search(r"API key +(\S+)", printed)[1]}
        alice = {"username": "alice.martin", "password": "correct-horse-battery", "algorithm": "SHA-256"}
        phone = "+33612345678"
        made = client.post("/api/accounts", headers=admin, json={**alice, "phone": phone, "activated": True})
        assert made.status_code == 200, made.text
        token = client.post("/api/account_creation_tokens", headers=admin).json()["token"]
        recovery = {"phone": phone, "account_creation_token": token}
        asked = client.post("/api/accounts/recover-by-phone", json=recovery)
        assert asked.status_code == 200, asked.text
        [request] = gateway.sends
        assert request.json()["phone"] == phone
        pin = re.search(r"\b[0-9]{4}\b", request.json()["text"])[0]
        recovered = client.get(f"/api/accounts/{phone}@sip.example.org/recover/{pin}")
        assert recovered.json()["username"] == "alice.martin"
