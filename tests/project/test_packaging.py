"""The Dockerfile's steps without containers: wheels, a fresh environment, and a server that finds its files."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import venv
from pathlib import Path

import httpx
import pytest

from flexiapi.settings import Settings

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
PLUGINS = ("outbox", "mail-smtp")

# Wheels are built in environments of their own.
pytestmark = [pytest.mark.timeout(900), pytest.mark.long]


def instructions(name):
    return re.findall(rf"^ *{name} (.*)$", DOCKERFILE, re.MULTILINE)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Return a folder with the files that the Dockerfile copies, and no others."""
    folder = tmp_path_factory.mktemp("source")
    (copied,) = (line for line in instructions("COPY") if not line.startswith("--from"))
    assert copied == ". ."
    ignored = {line.removeprefix("**/") for line in (ROOT / ".dockerignore").read_text().split()}
    assert ".git" not in ignored
    ignore = shutil.ignore_patterns(*ignored, ".git")
    shutil.copytree(ROOT, folder, ignore=ignore, symlinks=True, dirs_exist_ok=True)
    repository = subprocess.run(
        ["git", "rev-parse", "--absolute-git-dir"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    (folder / ".git").write_text(f"gitdir: {repository.stdout}")
    return folder


@pytest.fixture(scope="module")
def installed(source, tmp_path_factory):
    """The `bin` folder of an environment with the wheels. Dependencies are those of this environment."""
    wheels = tmp_path_factory.mktemp("wheels")
    some = [str(source), *(str(source / "plugins" / name) for name in PLUGINS)]
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), *some], check=True)
    environment = tmp_path_factory.mktemp("installed")
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    made = sorted(map(str, wheels.glob("*.whl")))
    assert len(made) == len(some)
    subprocess.run([*pip, "--python", str(python), "install", "--no-deps", "--no-index", *made], check=True)
    packages = next(environment.glob("lib/python*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin"


@pytest.fixture
def flexiapi(installed, mongod_uri, tmp_path):
    """The command line and the variables of the installed server, with data of its own."""
    database = f"packaging_{os.getpid()}_{time.monotonic_ns()}"
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "FLEXIAPI_CONFIG") if name in os.environ}
    variables = {
        "SERVER_PORT": "0",
        "DATA_PATH": str(tmp_path),
        "MONGODB_URI": mongod_uri,
        "MONGODB_DATABASE": database,
    }
    variables |= {"DELIVERY_FALLBACK_BACKEND": "outbox", "LOG_FORMAT": "json"}
    return [str(installed / "flexiapi")], {**kept, **variables}


def output_of(flexiapi, *arguments, cwd):
    command, environment = flexiapi
    done = subprocess.run([*command, *arguments], env=environment, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_has_everything(installed):
    shared = installed.parent / "share" / "flexiapi"
    for folder in ("templates", "config"):
        files = {path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert files
        assert {path.relative_to(shared) for path in (shared / folder).rglob("*") if path.is_file()} == files
    packages = next(installed.parent.glob("lib/python*/site-packages"))
    assert (packages / "flexiapi" / "py.typed").exists()
    assert list(packages.glob("flexiapi-*.dist-info/licenses/LICENSE"))


def test_the_wheel_has_the_number_of_its_build(flexiapi, tmp_path):
    count = subprocess.run(["git", "rev-list", "--count", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    shallow = ["git", "rev-parse", "--is-shallow-repository"]
    if subprocess.run(shallow, cwd=ROOT, capture_output=True, text=True, check=True).stdout == "false\n":
        assert output_of(flexiapi, "--version", cwd=tmp_path).endswith(f".post{count.stdout}")


def test_the_commands_know_the_installation(flexiapi, tmp_path):
    assert output_of(flexiapi, "settings", cwd=tmp_path) == (ROOT / "config" / "flexiapi.toml").read_text()
    plugins = output_of(flexiapi, "plugins", cwd=tmp_path)
    assert re.search(r"^mail +smtp +flexiapi-mail-smtp", plugins, re.MULTILINE)
    checked = output_of(flexiapi, "check", cwd=tmp_path)
    assert "templates     all render" in checked
    assert checked.count("could send now") == 3


def test_the_installed_server_serves(flexiapi, tmp_path):
    command, environment = flexiapi
    log = tmp_path / "log"
    with log.open("w") as output:
        server = subprocess.Popen([*command, "serve", "--processes", "2"], env=environment, cwd=tmp_path, stderr=output)
    try:
        url = ready(server, log)
        # What HEALTHCHECK of the Dockerfile runs.
        check = json.loads(re.search(r"^HEALTHCHECK .* CMD (.*)$", DOCKERFILE, re.MULTILINE)[1])
        port = url.rpartition(":")[2]
        await_health([sys.executable, *check[1:]], {"SERVER_PORT": port})
        assert "account_creation_tokens" in httpx.get(f"{url}/api", headers={"Accept": "text/html"}, timeout=30).text
        body = {"pn_provider": "fcm", "pn_param": "1", "pn_prid": "2"}
        assert httpx.post(f"{url}/api/account_creation_tokens/send-by-push", json=body, timeout=30).json() == {}
        assert (tmp_path / "outbox.jsonl").exists()
        page = httpx.post(f"{url}/api/account_creation_request_tokens", timeout=30).json()["validation_url"]
        assert "<form" in httpx.get(page, timeout=30).text
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0


def await_health(check, environment):
    """Ask as containers do: again until it is well."""
    until = time.monotonic() + 120
    while subprocess.run(check, env=environment, stderr=subprocess.DEVNULL, check=False).returncode:
        assert time.monotonic() < until


def ready(server, log):
    until = time.monotonic() + 120
    while time.monotonic() < until and server.poll() is None:
        for line in log.read_text().splitlines():
            if line.startswith("{") and (event := json.loads(line))["event"] == "ready":
                return event["url"]
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def test_the_dockerfile_uses_names_that_exist(source):
    variables = [word.partition("=")[0] for line in instructions("ENV") for word in shlex.split(line)]
    settings = [name for name in variables if name not in ("PATH", "PYTHONUNBUFFERED")]
    assert len(settings) == 3
    for name in settings:
        table, key = name.lower().split("_", 1)
        assert key in Settings.model_fields[table].annotation.model_fields
    (wheels,) = (line for line in instructions("RUN") if " wheel " in line)
    assert any("--require-hashes --requirement requirements.lock" in line for line in instructions("RUN"))
    patterns = [word for word in wheels.split() if word.startswith("./plugins")]
    built = {path.name for pattern in patterns for path in source.glob(pattern)}
    examples = {"provisioning-example"}
    assert built == {path.name for path in (ROOT / "plugins").iterdir() if path.is_dir()} - examples
