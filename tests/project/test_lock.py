"""The lock files against the declared dependencies, without a network."""

import re
import tomllib

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.kit.checkout import ROOT

PYTHONS = ("3.11", "3.12", "3.13")
PROJECTS = [ROOT, *sorted(file.parent for file in ROOT.glob("plugins/*/pyproject.toml"))]


def entries(file):
    """The requirements of a lock file, each with its hashes."""
    text = re.sub(r"\\\n *", " ", (ROOT / file).read_text())
    for line in text.splitlines():
        if line and not line.startswith("#"):
            requirement, *hashes = line.split(" --hash=")
            yield Requirement(requirement), [one.strip() for one in hashes]


def locked(*files, python):
    """The one version of each name that is installed on a Python."""
    environment = {**default_environment(), "python_version": python, "python_full_version": f"{python}.9"}
    versions = {}
    for file in files:
        for requirement, _ in entries(file):
            if requirement.marker is None or requirement.marker.evaluate(environment):
                (pin,) = requirement.specifier
                assert pin.operator == "=="
                name = canonicalize_name(requirement.name)
                assert versions.setdefault(name, Version(pin.version)) == Version(pin.version)
    return versions


def project(folder):
    return tomllib.loads((folder / "pyproject.toml").read_text())


def declared(folder, extras):
    about = project(folder)
    texts = [*about["project"]["dependencies"], *about["build-system"]["requires"]]
    optional = about["project"].get("optional-dependencies", {})
    for extra in extras:
        texts += optional.get(extra, [])
    return [Requirement(text) for text in texts if Requirement(text).name != "flexiapi"]


def faults(files, extras, python):
    versions = locked(*files, python=python)
    for folder in PROJECTS:
        for need in declared(folder, extras):
            found = versions.get(canonicalize_name(need.name))
            if found is None or found not in need.specifier:
                yield f"{folder.name} needs {need}, and locked is {found}"


@pytest.mark.parametrize("python", PYTHONS)
def test_floors_and_lock_agree(python):
    message = "Run `make lock`: it writes the lock files from what is declared."
    assert list(faults(["requirements.lock"], ["embedded"], python)) == [], message
    files = ["requirements.lock", "requirements-test.lock"]
    assert list(faults(files, ["embedded", "testing", "dev"], python)) == [], message


def test_every_file_that_is_installed_has_a_hash():
    for file in ("requirements.lock", "requirements-test.lock"):
        found = list(entries(file))
        assert len(found) > 40
        for requirement, hashes in found:
            assert hashes, requirement
            assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes)


def test_the_server_is_installed_without_what_only_tests_need():
    names = {requirement.name for requirement, _ in entries("requirements.lock")}
    assert not names & {"pytest", "mypy", "ruff", "hypothesis"}


def test_a_raised_floor_is_noticed(monkeypatch):
    floor = Requirement("tornado>=999")
    monkeypatch.setattr("tests.project.test_lock.declared", lambda folder, extras: [floor])
    assert f"{ROOT.name} needs tornado>=999" in next(faults(["requirements.lock"], [], "3.13"))
