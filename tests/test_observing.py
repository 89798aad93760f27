"""Our log lines and those of libraries: one format, one stream, each from its level on."""

import io
import json
import logging
import re

import pytest

from flexiapi import observing
from flexiapi.observing import log, request_id

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z (\w+) +(.+)")


@pytest.fixture
def lines():
    """Log what the test calls for, at a level and in a style, and return the lines."""

    def logged(call, level="info", style="text"):
        stream = io.StringIO()
        observing.configure(level, style, stream)
        call()
        return stream.getvalue().splitlines()

    return logged


def parsed(lines):
    return [LINE.fullmatch(line).groups() for line in lines]


def at_all_levels():
    for name in ("debug", "info", "warning", "error"):
        getattr(log, name)("ours", at=name)
        getattr(logging.getLogger("library.part"), name)("theirs at %s", name)


@pytest.mark.parametrize(
    ("level", "ours", "theirs"),
    [
        ("debug", ["debug", "info", "warning", "error"], ["warning", "error"]),
        ("info", ["info", "warning", "error"], ["warning", "error"]),
        ("warning", ["warning", "error"], ["warning", "error"]),
        ("error", ["error"], ["error"]),
    ],
)
def test_ours_appear_from_the_level_on_and_libraries_from_warning_on(lines, level, ours, theirs):
    found = parsed(lines(at_all_levels, level))
    assert [line for line in found if line[1].startswith("ours")] == [(name, f"ours at={name}") for name in ours]
    assert [line for line in found if line[1].startswith("theirs")] == [
        (name, f"theirs at {name} logger=library.part") for name in theirs
    ]


def test_a_module_of_ours_that_uses_the_standard_library_is_no_library(lines):
    found = parsed(lines(lambda: logging.getLogger("flexiapi.part").info("kept")))
    assert found == [("info", "kept logger=flexiapi.part")]


def test_the_request_stands_on_lines_of_both(lines):
    token = request_id.set("r-1")
    try:
        found = lines(at_all_levels, "error")
    finally:
        request_id.reset(token)
    assert [line.endswith(" request=r-1") for line in found] == [True, True]


def test_a_line_break_of_a_library_makes_no_line(lines):
    (line,) = lines(lambda: logging.getLogger("library").warning("one\n2026-01-01T00:00:00Z info forged"))
    assert r"one\n2026" in line


def test_secrets_are_masked(lines):
    (line,) = lines(lambda: log.info("signed in", api_key="k-1", account=7))
    assert line.endswith(" info    signed in api_key=*** account=7")


def failing():
    for logger in (log, logging.getLogger("library")):
        try:
            raise_it()
        except ValueError:
            logger.exception("failed")


def raise_it():
    raise ValueError("out of paper")


def test_a_trace_follows_its_line_once(lines):
    found = lines(failing)
    assert [line for line in found if line.startswith("ValueError")] == ["ValueError: out of paper"] * 2
    assert [LINE.fullmatch(line)[2] for line in found if " error " in line] == ["failed", "failed logger=library"]


def test_json_is_one_object_a_line_for_both(lines):
    ours, theirs = [json.loads(line) for line in lines(failing, style="json")]
    assert ours.keys() == {"event", "level", "timestamp", "exception"}
    assert theirs.keys() == {"event", "level", "timestamp", "exception", "logger"}
    for entry in (ours, theirs):
        assert (entry["event"], entry["level"]) == ("failed", "error")
        assert entry["exception"].endswith("ValueError: out of paper")
    assert theirs["logger"] == "library"
