"""Files, modules and settings that pages name, which must exist."""

import re
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec

import pytest

from flexiapi.settings import Settings
from tests.kit.checkout import ROOT, text_files

PACKAGE = ROOT / "flexiapi"
# Decisions and the changelog tell history, so they name files that are gone. The scaffold names those of a new plugin.
NOT_READ = ("docs/decisions/", "CHANGELOG.md", "templates/scaffold/")
PAGES = [
    path for path in text_files() if path.suffix == ".md" and not path.relative_to(ROOT).as_posix().startswith(NOT_READ)
]
FOLDERS = sorted(
    {path.name for folder in (ROOT, PACKAGE) for path in folder.iterdir() if path.is_dir() and path.name.isidentifier()}
    | {r"changelog\.d", r"\.ci", r"\.github"}
)
# A path below the root or the package, a quoted file or folder, and a dotted module.
PATH = re.compile(rf"(?<![\w/.*-])((?:{'|'.join(FOLDERS)})/[\w./-]*[\w/])")
QUOTED = re.compile(r"`([\w./-]+\.py|\w+/)`")
MODULE = re.compile(r"(?<![\w/.-])(flexiapi(?:\.[a-z_]+)+)\b(?![/-])")
TABLES = "|".join(Settings.model_fields)
SETTING = re.compile(rf"`\[?(?P<table>{TABLES})\]?[. ](?P<key>[a-z_]+)(?: = [^`]*)?`")
# Placeholders, files that are made or are a reader's own, templates by their name, and other names with a dot.
EXAMPLES = re.compile(
    r"NAME|NNNN|_$|^(var|dist)/$|/(x|(test_)?display_names)\.py$|^plugins/sms-example$|^docs/api$|^(mail|sms|pages)/[\w.]+$"
    r"|^flexiapi\.(toml|service)$|^flexiapi\._domainkey\.|^flexisip\.conf$|^server\.messages$"
    # It is written by `make bench`, and not kept.
    r"|^benchmarks/results/latest\.json$"
)


def missing(text):
    """Return the paths, modules and settings in the text that do not exist."""
    paths = dict.fromkeys(PATH.findall(text) + QUOTED.findall(text))
    wrong = [name for name in paths if not is_path(name)]
    wrong += [name for name in MODULE.findall(text) if not is_module(name)]
    wrong += [
        f"{found['table']}.{found['key']}" for found in SETTING.finditer(text) if not is_setting(**found.groupdict())
    ]
    return [name for name in wrong if not EXAMPLES.search(name)]


def is_path(name):
    return any((folder / name.rstrip("/")).exists() for folder in (ROOT, PACKAGE, ROOT / "docs", ROOT / "templates"))


def is_module(name):
    """Return whether the dotted name is a module, a name that one defines, or a group of entry points."""
    if name in entry_points().groups:
        return True
    parent, _, attribute = name.rpartition(".")
    try:
        return hasattr(import_module(parent), attribute) or find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def is_setting(table, key):
    """Return whether the table has the key. Tables of backends, whose keys are the plugins', have any."""
    fields = getattr(Settings.model_fields[table].annotation, "model_fields", None)
    return fields is None or key in fields


def test_pages_are_found():
    names = {path.relative_to(ROOT).as_posix() for path in PAGES}
    assert {"README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/plugins.md", "tests/README.md"} <= names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_page_names_exists(page):
    assert missing(page.read_text()) == []


def test_the_picture_of_the_house_names_every_package():
    page = (ROOT / "docs" / "architecture.md").read_text()
    picture = re.search(r"^## The house\n\n((?: {4}.*\n|\n)+)", page, re.MULTILINE)[1]
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    modules = {path.stem for path in PACKAGE.glob("[!_]*.py")}
    assert set(re.findall(r"([a-z_]+)/", picture)) - {"plugins"} == packages - {"testing"}
    assert [name for name in modules if not re.search(rf"\b{name}\b", picture)] == []


@pytest.mark.parametrize(
    "right",
    [
        "`web/pipeline.py`",
        "flexiapi/observing.py",
        "`observing.py`",
        "`services/`",
        "[the page](docs/plugins.md)",
        "flexiapi.plugin",
        "`flexiapi.testing.BackendContract`",
        "the group `flexiapi.push`",
        "`account.email_unique`",
        '`[app] env = "development"`',
    ],
)
def test_a_right_name_passes(right):
    assert missing(f"See {right} for more.") == []


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ("`web/pipelines.py`", "web/pipelines.py"),
        ("flexiapi/app.py", "flexiapi/app.py"),
        ("`model.py`", "model.py"),
        ("`app/routes.py`", "app/routes.py"),
        ("`http/`", "http/"),
        ("[the page](docs/plugin.md)", "docs/plugin.md"),
        ("`server/nothing/`", "server/nothing/"),
        ("flexiapi.plugins", "flexiapi.plugins"),
        ("`flexiapi.nothing.more`", "flexiapi.nothing.more"),
        ("`account.mail_unique`", "account.mail_unique"),
        ("`[app] addres`", "app.addres"),
    ],
)
def test_a_wrong_name_is_found(wrong, name):
    assert missing(f"See {wrong} for more.") == [name]
