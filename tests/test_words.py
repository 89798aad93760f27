"""Plain English in docstrings and comments."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OPENINGS = re.compile(r"(What|Who|How|Where|Whether|Nobody|All of|One of)\b")
VAGUE = re.compile(r"\b(whoever|nobody|somebody|everybody)\b", re.IGNORECASE)

# Not rewritten yet; to be removed from this list as that is done.
NOT_YET = (
    "flexiapi/services/",
    "flexiapi/store/__init__.py",
    "flexiapi/store/accounts.py",
    "flexiapi/store/bulk.py",
    "flexiapi/store/changes.py",
    "flexiapi/store/contacts.py",
    "flexiapi/store/documents.py",
    "flexiapi/store/embedded.py",
    "flexiapi/store/listings.py",
    "flexiapi/store/removals.py",
    "flexiapi/flexisip/contact.py",
    "flexiapi/flexisip/external_auth.py",
    "flexiapi/flexisip/replica.py",
    "flexiapi/flexisip/replication.py",
    "flexiapi/server/assembly.py",
    "flexiapi/server/context.py",
    "flexiapi/server/routes.py",
)


def modules():
    found = [path for folder in ("flexiapi", "plugins", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    for path in sorted(found):
        name = path.relative_to(ROOT).as_posix()
        if "/tests/" not in name and "/build/" not in name and not name.startswith(NOT_YET):
            yield pytest.param(path, id=name)


def docstrings(source):
    """Docstrings of every kind, also those below attributes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def comments(source):
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def openings(source):
    """Docstrings of modules, classes, functions and attributes that begin with a question word."""
    return [(line, text) for line, text in docstrings(source) if OPENINGS.match(text)]


def vague(source):
    return [(line, text) for line, text in (*docstrings(source), *comments(source)) if VAGUE.search(text)]


@pytest.mark.parametrize("path", list(modules()))
def test_docstrings_and_comments_are_plain(path):
    source = path.read_text()
    assert openings(source) == []
    assert vague(source) == []


def test_the_list_names_what_exists():
    assert [name for name in NOT_YET if not (ROOT / name).exists()] == []


def test_both_are_found():
    assert openings('"""How an account comes to be."""\n') == [(1, "How an account comes to be.")]
    assert openings('"""However short."""\n') == []
    assert vague("x = 1  # Nobody reads this\n") == [(1, "# Nobody reads this")]
    assert vague('def f():\n    """Return whoever it is."""\n') == [(2, "Return whoever it is.")]
