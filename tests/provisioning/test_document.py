"""Documents as phones read them, also after merging."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexiapi.provisioning.document import Document, Entry, Section

ILLEGAL = {chr(code) for code in range(0x20)} - {"\t", "\n", "\r"} | {"\ufffe", "\uffff"}

names = st.text(st.sampled_from("abc_<&>\"' \té漢\U0001f600"), min_size=1, max_size=6)
values = st.text(st.characters(), max_size=20)
entries = st.lists(st.builds(Entry, st.sampled_from("abc"), st.sampled_from("12345"), st.booleans()), max_size=8)


def legal(text):
    return "".join(char for char in text if char not in ILLEGAL and not "\ud800" <= char <= "\udfff")


def applied(config, entries):
    """Return the configuration of a client after it read the document."""
    config = dict(config)
    for name, value, overwrite in entries:
        if overwrite or name not in config:
            config[name] = value
    return config


@given(st.lists(st.tuples(names, st.lists(st.tuples(names, values, st.booleans()), max_size=3)), max_size=3))
def test_what_is_written_is_read(read, sections):
    document = Document([Section(name, [Entry(*entry) for entry in entries]) for name, entries in sections])
    expected = [
        (name, [(key, legal(value), overwrite) for key, value, overwrite in entries]) for name, entries in sections
    ]
    assert read(document.xml()) == expected


@given(entries, entries, st.dictionaries(st.sampled_from("abc"), st.just("own")))
def test_merging_changes_nothing_for_clients(first, later, config):
    section = Section("proxy_0", list(first))
    section.merge(later)
    assert applied(config, section.entries) == applied(config, [*first, *later])
    assert len({entry.name for entry in section.entries}) == len(section.entries)


@given(entries)
def test_get_is_what_a_new_client_has(entries):
    section = Section("misc", entries)
    fresh = applied({}, entries)
    assert {name: section.get(name) for name in "abc"} == {name: fresh.get(name) for name in "abc"}


def test_a_value_is_a_text():
    with pytest.raises(TypeError, match="'port' of section 'net'"):
        Section("net").add("port", 5060)


def test_sections_are_found_by_name():
    document = Document()
    first = document.add("misc")
    document.add("misc")
    assert document.section("misc") is first
    assert len(document.sections) == 2
    assert document.section("sip") is None
