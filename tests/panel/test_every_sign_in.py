"""Every way in ends the session that the browser had."""

import ast
from pathlib import Path

import flexiapi

PANEL = Path(flexiapi.__file__).parent / "panel"


def beginnings(source):
    """The calls that begin a session, each with the names of its arguments."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("sessions.begin"):
            yield {one.arg for one in node.keywords}


def test_a_new_session_is_in_place_of_the_one_before():
    found = [(path.name, names) for path in PANEL.rglob("*.py") for names in beginnings(path.read_text())]
    assert len(found) >= 6
    assert [name for name, names in found if "in_place_of" not in names] == []
