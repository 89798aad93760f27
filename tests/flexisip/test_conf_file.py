"""Reading of `flexisip.conf`."""

import pytest

from flexiapi.flexisip.conf_file import read_conf


def test_settings_are_read_by_section_with_their_lines():
    file = read_conf(
        "\ufeff# a comment = nothing\n[global]\n  a = x=y # z  \n#b=1\n\n[module::Router]\na=\n[global]\nb=true\n"
    )
    assert {place: (entry.value, entry.line) for place, entry in file.settings.items()} == {
        ("global", "a"): ("x=y # z", 3),
        ("module::Router", "a"): ("", 7),
        ("global", "b"): ("true", 9),
    }
    assert file.faults == []
    assert (file.is_on("global", "b"), file.is_on("global", "c"), file.is_on("global", "c", "true")) == (
        True,
        False,
        True,
    )
    assert (file.line("global", "b"), file.line("global", "none"), file.line("none", "b")) == (9, 2, None)


def test_keys_have_their_case_and_no_interpolation():
    file = read_conf("[global]\nKey=%(x)s ${y}\nkey:1=2\n")
    assert [(entry.key, entry.value) for entry in file.settings.values()] == [("Key", "%(x)s ${y}"), ("key:1", "2")]


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("[global]\na=1\na=2\n", 3, "a second time, after line 2"),
        ("a=1\n", 1, "before the first section"),
        ("[global\na=1\n", 1, "no closing bracket"),
        ("[]\n", 1, "no closing bracket"),
        ("[global]\nenabled true\n", 2, "neither a section, a setting nor a comment"),
        ("[global]\na=" + "x" * 20_481, 2, "longer than Flexisip reads"),
    ],
    ids=["repeated", "outside", "open", "empty", "words", "long"],
)
def test_what_flexisip_does_not_read_is_told_with_its_line(text, line, told):
    (fault, *_) = read_conf(text).faults
    assert (fault.line, told in fault.text) == (line, True)


def test_the_first_of_two_values_counts():
    assert read_conf("[global]\na=1\na=2\n").value("global", "a") == "1"
