"""Backends stand on the public contract alone, so that a third party can copy any of them."""

import ast
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"
BACKENDS = sorted(folder for kind in ("push-*", "sms-*", "mail-*", "outbox") for folder in PLUGINS.glob(kind))


def imported(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("folder", BACKENDS, ids=lambda folder: folder.name)
def test_a_backend_imports_the_contract_and_nothing_else_of_ours(folder):
    allowed = {False: {"flexiapi.plugin"}, True: {"flexiapi.plugin", "flexiapi.testing", "flexiapi.testing.profiles"}}
    for file in folder.rglob("*.py"):
        if "build" in file.relative_to(folder).parts:
            continue
        ours = {name for name in imported(file) if name == "flexiapi" or name.startswith("flexiapi.")}
        assert ours <= allowed["tests" in file.relative_to(folder).parts], file


@pytest.mark.parametrize("folder", BACKENDS, ids=lambda folder: folder.name)
def test_a_backend_is_complete(folder):
    assert (folder / "pyproject.toml").exists()
    assert (folder / "README.md").exists()
    assert list((folder / "tests").glob("test_*.py"))
