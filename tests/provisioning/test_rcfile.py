"""The base file is read as liblinphone reads it."""

import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from flexiapi.errors import ProvisioningFailed
from flexiapi.files import shared
from flexiapi.provisioning.rcfile import MalformedRcFile, RcFile, parse


def plain(sections):
    return [(section.name, [(entry.name, entry.value) for entry in section.entries]) for section in sections]


def test_values_are_verbatim():
    text = """\ufeff# a comment
; another
[sip]
register_only_when_network_is_up=yes
guess_hostname = 1
empty=
contact="Alice" <sip:alice@example.org;transport=tls>
default_values=a=b;c#d

[proxy_default_values]
reg_proxy="<sip:sip.example.org;transport=tls>"\r
realm= "quoted realm" \r
odd="a"b"
"""
    assert plain(parse(text)) == [
        (
            "sip",
            [
                ("register_only_when_network_is_up", "yes"),
                ("guess_hostname", " 1"),
                ("empty", ""),
                ("contact", '"Alice" <sip:alice@example.org;transport=tls>'),
                ("default_values", "a=b;c#d"),
            ],
        ),
        (
            "proxy_default_values",
            [
                ("reg_proxy", "<sip:sip.example.org;transport=tls>"),
                ("realm", "quoted realm"),
                ("odd", '"a"b"'),
            ],
        ),
    ]


def test_later_keys_replace_and_sections_continue():
    assert plain(parse("[a]\nk=1\nl=2\n[b]\nk=3\n[a]\nk=4\n")) == [("a", [("k", "4"), ("l", "2")]), ("b", [("k", "3")])]


@given(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])))
def test_any_value_is_kept(value):
    kept = plain(parse(f"[s]\nk=x{value}\n"))
    assert kept == [("s", [("k", f"x{value}")])]


@pytest.mark.parametrize(
    "text",
    ["k=v\n[a]\n", "[a\nk=v\n", "[]\n", "[a]\nno pair\n", "[a]\n=v\n", "[a] b\n", "<html>\n"],
)
def test_malformed_lines_are_refused(text):
    with pytest.raises(MalformedRcFile, match=r"line [12] "):
        parse(text)


def test_no_path_and_no_file_are_no_sections(tmp_path):
    assert RcFile(None).sections() == ()
    assert RcFile(tmp_path / "none.rc").sections() == ()
    (tmp_path / "file").touch()
    assert RcFile(tmp_path / "file" / "none.rc").sections() == ()


def test_a_change_is_seen_and_nothing_else_is_read(tmp_path):
    path = tmp_path / "base.rc"
    file = RcFile(path)
    assert file.sections() == ()
    path.write_text("[a]\nk=1\n")
    first = file.sections()
    assert plain(first) == [("a", [("k", "1")])]
    assert file.sections() is first
    path.write_text("[a]\nk=12\n")
    assert plain(file.sections()) == [("a", [("k", "12")])]
    path.unlink()
    assert file.sections() == ()


@pytest.mark.parametrize("content", [b"[a]\nsecret\n", b"[a]\nk=\xff\n"])
def test_a_malformed_file_fails_until_it_is_mended(tmp_path, content):
    path = tmp_path / "base.rc"
    path.write_bytes(content)
    file = RcFile(path)
    with capture_logs() as logs:
        for _ in range(3):
            with pytest.raises(ProvisioningFailed):
                file.sections()
    assert [(entry["log_level"], entry["path"]) for entry in logs] == [("error", str(path))]
    assert "secret" not in repr(logs)
    path.write_text("[a]\nk=v\n")
    assert plain(file.sections()) == [("a", [("k", "v")])]


def test_a_file_that_cannot_be_read_fails(tmp_path):
    (tmp_path / "base.rc").mkdir()
    with capture_logs() as logs, pytest.raises(ProvisioningFailed):
        RcFile(tmp_path / "base.rc").sections()
    assert [entry["reason"] for entry in logs] == [os.strerror(errno.EISDIR)]


def test_the_example_gives_accounts_a_server():
    sections = dict(plain(RcFile(shared("config") / "provisioning.rc").sections()))
    assert dict(sections["proxy_default_values"])["reg_proxy"] == "<sip:sip.example.org;transport=tls>"
