"""One version: pyproject.toml has it, and everything else reads it there."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import flexiapi
from flexiapi.server.routes import ENDPOINTS
from flexiapi.web.openapi import document_of
from tests.kit.checkout import ROOT, text_files


def project(file):
    """The table [project] with the version of the release, to which setup.py adds the number of the build."""
    about = tomllib.loads(file.read_text())
    return {**about["project"], "version": about["tool"]["flexiapi"]["version"]}


PROJECT = project(ROOT / "pyproject.toml")
PLUGINS = [project(file) for file in sorted(ROOT.glob("plugins/*/pyproject.toml"))]


def workflow():
    return (ROOT / ".github" / "workflows" / "tests.yml").read_text()


def supported_pythons():
    prefix = "Programming Language :: Python :: "
    return [line.removeprefix(prefix) for line in PROJECT["classifiers"] if line.startswith(prefix)]


def test_the_package_has_the_version_of_the_project():
    assert Version(flexiapi.__version__).base_version == PROJECT["version"] == str(Version(PROJECT["version"]))
    assert flexiapi.__version__ == version("flexiapi")


def test_the_command_and_the_document_of_the_api_say_it():
    done = subprocess.run([sys.executable, "-m", "flexiapi", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"flexiapi, version {flexiapi.__version__}\n"
    document = document_of(ENDPOINTS, "https://accounts.example.org")
    assert document["info"]["version"] == flexiapi.__version__
    answer = document["paths"]["/api/openapi.json"]["get"]["responses"]["200"]["content"]["application/json"]
    assert answer["example"]["info"]["version"] == flexiapi.__version__


def test_no_other_file_repeats_it():
    literal = re.compile(rf"(?<![\d.]){re.escape(PROJECT['version'])}(?!\.?\d)")
    # Each distribution has a version of its own; the changelog and the records tell of versions as they were.
    told = {
        "requirements.lock",
        "requirements-test.lock",
        "package-lock.json",
        "pyproject.toml",
        "pyproject.toml.j2",
        "CHANGELOG.md",
        "LICENSE",
    }
    files = [
        path for path in text_files() if path.name not in told and path.parent.name not in ("changelog.d", "decisions")
    ]
    assert len(files) > 400
    texts = {str(path.relative_to(ROOT)): re.sub(r"https?://\S+", "", path.read_text()) for path in files}
    assert [name for name, text in texts.items() if literal.search(text)] == []


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin["name"])
def test_every_plugin_fits_this_version(plugin):
    assert Version(version(plugin["name"])).base_version == plugin["version"] == str(Version(plugin["version"]))
    (need,) = [need for need in plugin["dependencies"] if Requirement(need).name == "flexiapi"]
    assert Requirement(need).specifier.contains(f"{PROJECT['version']}.post1")
    assert f"depends on `{need}`" in (ROOT / "docs" / "plugins.md").read_text()
    assert plugin["requires-python"] == PROJECT["requires-python"]


def test_every_supported_python_is_tested():
    pythons = supported_pythons()
    assert PROJECT["requires-python"] == f">={pythons[0]}"
    (matrix,) = re.findall(r"^ +python: \[(.*)\]$", workflow(), re.MULTILINE)
    assert [name.strip('"') for name in matrix.split(", ")] == pythons
    candidates = re.search(r"^candidates=\((.*)\)$", (ROOT / ".ci" / "python").read_text(), re.MULTILINE)[1].split()
    assert candidates == [*(f"python{name}" for name in reversed(pythons)), "python3"]
    images = re.findall(r"^FROM python:([\d.]+)-", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert set(images) == {pythons[-1]}
