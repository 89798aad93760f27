"""The shape of the source tree in figures, each held to a limit; the summary of a run shows them all."""

import pytest

from tests.project import shape, warm_requests

# For each figure its limit, which never rises, and the goal that it is lowered to.
TARGETS = {
    "loose modules at the top level": (8, 8),
    "class names with several meanings": (0, 0),
    "imports of own names under another name": (0, 0),
    "rule functions in api": (0, 0),
    "imports of the store in api": (0, 0),
    "lines of the biggest class": (200, 200),
    "lines of the biggest module": (300, 300),
    "lines of the biggest function": (40, 40),
    "module docstrings that begin with a question word": (0, 0),
    "logging idioms": (1, 1),
    "import circles": (0, 0),
    "places where an account becomes active": (1, 1),
    "files of a warm request: me by API key": (21, 14),
    "files of a warm request: me by DIGEST": (26, 16),
    "files of a warm request: creation with a token": (35, 18),
    "files of a warm request: recovery by phone": (35, 20),
}

FOUND = {
    "loose modules at the top level": shape.loose_modules,
    "class names with several meanings": shape.ambiguous_class_names,
    "imports of own names under another name": shape.renaming_imports,
    "rule functions in api": shape.rule_functions,
    "imports of the store in api": shape.store_imports_of_api,
    "module docstrings that begin with a question word": shape.riddles,
    "logging idioms": shape.logging_idioms,
    "import circles": shape.import_circles,
    "places where an account becomes active": shape.activations,
}
SIZES = {
    "lines of the biggest class": shape.class_sizes,
    "lines of the biggest module": shape.module_sizes,
    "lines of the biggest function": shape.function_sizes,
}
WARM_REQUESTS = {
    "files of a warm request: me by API key": warm_requests.me_by_key,
    "files of a warm request: me by DIGEST": warm_requests.me_by_digest,
    "files of a warm request: creation with a token": warm_requests.creation,
    "files of a warm request: recovery by phone": warm_requests.recovery,
}


# A tree in which each measure has something to find.
SPECIMEN = {
    "loose.py": '"""How it is done."""\nfrom flexiapi import other as another\nclass Twice: pass\n',
    "other.py": "import logging\nfrom flexiapi.inner import deep\nlog = logging.getLogger()\nclass Twice: pass\n",
    "inner/__init__.py": "",
    "inner/deep.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from flexiapi.loose import Twice\n",
    "api/things.py": (
        "from flexiapi import store\n"
        "from flexiapi.observing import log\n"
        "def rule(handler, values): return {'activated': True}\n"
        "def given(handler): return replace(handler, activated=True)\n"
        "def made(): return Account.new(activated=True)\n"
        "class Endpoint:\n    @endpoint(check=given)\n    def get(self): pass\n"
    ),
}
EXPECTED = {
    "loose modules at the top level": ["loose", "other"],
    "class names with several meanings": ["Twice: flexiapi.loose, flexiapi.other"],
    "imports of own names under another name": ["flexiapi.loose: other as another"],
    "rule functions in api": ["flexiapi.api.things.rule", "flexiapi.api.things.given"],
    "imports of the store in api": ["flexiapi.api.things: flexiapi"],
    "module docstrings that begin with a question word": ["flexiapi.loose: How it is done."],
    "logging idioms": ["logging.getLogger: flexiapi.other", "observing.log: flexiapi.api.things"],
    "import circles": ["flexiapi.inner.deep <-> flexiapi.loose <-> flexiapi.other"],
    "places where an account becomes active": ["flexiapi.api.things:3", "flexiapi.api.things:4"],
}


@pytest.fixture
def specimen(tmp_path, monkeypatch):
    for name, source in SPECIMEN.items():
        file = tmp_path / "flexiapi" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
    monkeypatch.setattr(shape, "ROOT", tmp_path)
    monkeypatch.setattr(shape, "PACKAGE", tmp_path / "flexiapi")
    monkeypatch.setattr(shape, "MODULES", [shape.Module(file) for file in sorted(tmp_path.rglob("*.py"))])


@pytest.mark.parametrize("name", FOUND)
def test_a_measure_finds_what_it_looks_for(specimen, name):
    assert FOUND[name]() == EXPECTED[name]


@pytest.fixture
def hold(record_property):
    """Note a figure for the summary and hold it to its limit."""

    def check(name, measured, found):
        limit, goal = TARGETS[name]
        record_property("figure", (name, measured, limit, goal))
        assert measured <= limit, f"{name}: {measured}, at most {limit}:\n" + "\n".join(found)

    return check


def test_every_figure_is_measured():
    assert TARGETS.keys() == {*FOUND, *SIZES, *WARM_REQUESTS}


@pytest.mark.parametrize("name", FOUND)
def test_nothing_new_of_what_should_not_be(hold, name):
    found = FOUND[name]()
    hold(name, len(found), found)


@pytest.mark.parametrize("name", SIZES)
def test_nothing_grows_too_big(hold, name):
    limit, _ = TARGETS[name]
    sizes = SIZES[name]()
    hold(name, sizes[0][0], [f"{lines:4} {place}" for lines, place in sizes if lines > limit])


@pytest.mark.parametrize("name", WARM_REQUESTS)
def test_a_request_passes_through_few_files(hold, server, name):
    files = warm_requests.files_entered(server, WARM_REQUESTS[name](server))
    hold(name, len(files), sorted(files))
