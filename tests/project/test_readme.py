"""README.md, its shell lines executed as they stand against a server of `make run`, and the examples of the pages."""

import asyncio
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from flexiapi.plugin import SmsBackend, SmsMessage
from flexiapi.settings.loading import load
from flexiapi.settings.reference import document
from flexiapi.testing import Gateway, reply
from tests.kit.checkout import ROOT, text_files
from tests.kit.ports import free_port

pytestmark = pytest.mark.long

README = (ROOT / "README.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
PLUGINS = (ROOT / "docs" / "plugins.md").read_text()
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page, language):
    return [content for found, content in _BLOCK.findall(page) if found == language]


@pytest.fixture
def checkout(tmp_path):
    """A folder that looks like the checkout: data are made in it, not in ours."""
    (tmp_path / "config").symlink_to(ROOT / "config")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


@pytest.fixture
def made_to_run(checkout):
    """The port of a server that runs what `make run` runs, in `checkout`."""
    recipe = re.search(r"^run:.*\n\t@exec (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    command = recipe[1].replace("$(BIN)", ".venv/bin").split()
    port = free_port()
    environment = {**os.environ, "SERVER_PORT": str(port), "LOG_LEVEL": "warning"}
    with (checkout / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=checkout, env=environment, stderr=log)
    try:
        await_ping(server, port, checkout / "log")
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0


def await_ping(server, port, log):
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/api/ping")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(log.read_text())


def test_the_shell_lines_lead_to_a_provisioned_phone(made_to_run, checkout):
    script = "set -e\n" + "\n".join(blocks(README, "sh")).replace(":8080", f":{made_to_run}")
    # Under su, or where output is a socket of a service, what is open as /dev/stderr cannot be opened again.
    ours, theirs = socket.socketpair()
    with ours, theirs:
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=checkout,
            stdout=subprocess.PIPE,
            stderr=theirs,
            text=True,
            timeout=150,
            check=False,
        )
        theirs.shutdown(socket.SHUT_WR)
        assert done.returncode == 0, ours.makefile().read()
    assert re.search(r"creation token: \w{13}\n", done.stdout)
    assert re.search(r"provisioning token: \w{13}\n", done.stdout)
    first, second, *more = re.findall(r"<config .*?</config>", done.stdout, re.DOTALL)
    assert not more
    assert '<entry name="ha1">' in first
    assert "ha1" not in second
    assert "alice." not in second
    listed = done.stdout[done.stdout.rindex("</config>") :]
    assert '"data":[{' in listed
    assert '"username":"alice.' in listed
    assert re.search(r"^API key +\w{40} ", listed, re.MULTILINE)


def test_it_needs_git_and_make_and_names_where_to_clone_from():
    assert re.search(r"with `apt install git make`\. ", README)
    assert re.search(r"^    git clone REPOSITORY flexiapi\n    cd flexiapi$", README, re.MULTILINE)
    assert "`REPOSITORY` is the address" in README


def test_the_installation_finds_its_settings_and_its_data(tmp_path):
    lines = [line.removeprefix("# ").split() for line in blocks(OPERATIONS, "console")[0].splitlines()]
    written = lines.index(["/opt/flexiapi/bin/flexiapi", "settings", "--output", "/etc/flexiapi/flexiapi.toml"])
    assert ["install", "-d", "-m", "0755", "/etc/flexiapi"] in lines[:written]
    (edit,) = [line for line in blocks(OPERATIONS, "console")[0].splitlines() if "sed -i" in line]
    file = tmp_path / "flexiapi.toml"
    file.write_text(document())
    subprocess.run([*shlex.split(edit.removeprefix("# "))[:-1], str(file)], check=True)
    assert load(file, {}).data.path == Path("/var/lib/flexiapi")


def test_a_checkout_builds_what_the_installation_names():
    named = re.search(r"pip install 'flexiapi\[embedded\]' (.*)", OPERATIONS)[1].split()
    built = re.search(r"pip wheel .* \. (.*)", OPERATIONS)[1].split()
    assert [name.replace("flexiapi-", "./plugins/") for name in named] == built


def test_the_settings_are_right(tmp_path):
    first, *others = blocks(OPERATIONS, "toml")
    file = tmp_path / "flexiapi.toml"
    for example in others:
        file.write_text(example)
        assert load(file, {}).app.url.startswith("https://")
    file.write_text(first)
    settings = load(file, {})
    assert settings.app.url == "https://accounts.example.org"
    assert settings.mail.host == "smtp.example.org"


def test_the_plugin_sends(tmp_path):
    (source,) = [block for block in blocks(PLUGINS, "python") if "class ExampleSms" in block]
    names = {}
    exec(compile(source, "plugins.md", "exec"), names)  # our own page
    backend_class = names["ExampleSms"]
    assert issubclass(backend_class, SmsBackend)

    async def send(url):
        backend = backend_class(backend_class.Config(url=url, token="s3cret"))
        await backend.start()
        try:
            return await backend.send(SmsMessage("+33612345678", "Your code is 1234"))
        finally:
            await backend.close()

    with Gateway() as gateway:
        gateway.answer(reply(200, {"id": "m-1"}))
        assert asyncio.run(send(gateway.url)).id == "m-1"


def test_every_link_leads_somewhere():
    pages = [path for path in text_files() if path.suffix == ".md"]
    assert len(pages) > 10
    for page in pages:
        for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"
