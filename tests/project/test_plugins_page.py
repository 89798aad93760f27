"""docs/plugins.md, followed as it stands in a fresh environment that has no index to install from."""

import os
import re
import secrets
import shutil
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement

from flexiapi.testing import Gateway
from tests.kit.ports import free_port

pytestmark = pytest.mark.long

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


def required_by(name, extras):
    """The distributions that this one needs with these extras, and those that they need, with their extras."""
    found, waiting = {}, [(name, extras)]
    while waiting:
        one, chosen = waiting.pop()
        for line in metadata.requires(one) or ():
            need = Requirement(line)
            is_wanted = need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *chosen))
            if is_wanted and (need.name not in found or not need.extras <= found[need.name]):
                found[need.name] = found.get(need.name, set()) | need.extras
                waiting.append((need.name, need.extras))
    return found


@pytest.fixture(scope="module")
def requirements(tmp_path_factory):
    """A folder with what flexiapi needs for its test kit, of this environment, and with what builds distributions."""
    folder = tmp_path_factory.mktemp("requirements")
    for name in {*required_by("flexiapi", {"testing"}), "setuptools"}:
        for file in metadata.files(name):
            top = file.parts[0]
            if top not in ("..", "__pycache__", "bin") and not (folder / top).exists():
                (folder / top).symlink_to(metadata.distribution(name).locate_file(top))
    command = folder / "bin" / "pytest"
    command.parent.mkdir()
    command.write_text('#!/bin/sh\nexec python -m pytest "$@"\n')
    command.chmod(0o755)
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
def followed(sources, requirements, tmp_path_factory):
    port = free_port()
    script, promised = script_and_output(PAGE.read_text().replace("9911", str(port)))
    environment = {
        "HOME": str(requirements),
        "PATH": f"{requirements / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(requirements),
        "FLEXIAPI": str(sources),
        "PIP_NO_INDEX": "1",
        # As a variable it has the value of the option that it turns off.
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_QUIET": "1",
        "PIP_NO_COMPILE": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
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
