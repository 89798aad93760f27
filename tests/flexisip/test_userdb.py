import asyncio
import re
import stat
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexiapi.errors import ConfigurationError
from flexiapi.flexisip import userdb
from flexiapi.flexisip.credentials import SipCredentials
from flexiapi.model import Account, Algorithm, Password

NOW = datetime(2026, 11, 23, tzinfo=UTC)
MD5, SHA_256 = "b9fef245e9080e058688219c8264c0fe", "723d433c5ca87edd31d4b0cd7cfac50224a9c2fbe764d20386eacaffb4ad9b65"

# Flexisip's own grammar (its whole alphabet, tabs and blank lines too), written apart from what the export checks.
WORD = r"[A-Za-z0-9.!%*_+`'~:-]+"
FILE = re.compile(
    r"version:1\r?\n"
    r"(?:[ \t]*\r?\n|#[^()\\\r\n]*\r?\n|"
    rf"{WORD}(?:@{WORD})?[ \t]+(?:(?:clrtxt|md5|sha256):{WORD}[ \t]+)+;(?:[ \t]+{WORD}(?:[ \t]+{WORD})?)?[ \t]*\r?\n)*"
)


def account(id_, username, **changes):
    passwords = (Password(Algorithm.MD5, MD5), Password(Algorithm.SHA_256, SHA_256))
    return replace(Account(id_, username, "sip.example.org", NOW, NOW, activated=True, passwords=passwords), **changes)


async def stream(*accounts):
    for one in accounts:
        yield one


def export(path, *accounts, **options):
    return asyncio.run(userdb.export(stream(*accounts), path, **options))


def test_the_file_has_the_activated_accounts(tmp_path):
    path = tmp_path / "users.db"
    report = export(
        path,
        account(1, "alice"),
        account(2, "bob", passwords=(Password(Algorithm.SHA_256, SHA_256.upper()),), phone="+33612345678"),
        account(3, "carol", activated=False),
        account(4, "dave", passwords=(Password(Algorithm.CLRTXT, "p@ss word;"),), domain="x.org"),
    )
    lines = path.read_text().splitlines()
    assert lines[:4] == [
        "version:1",
        "",
        f"alice@sip.example.org md5:{MD5} sha256:{SHA_256} ;",
        f"bob@sip.example.org sha256:{SHA_256} ; bob +33612345678",
    ]
    assert re.fullmatch(r"dave@x\.org md5:[0-9a-f]{32} sha256:[0-9a-f]{64} ;", lines[4])
    assert len(lines) == 5
    assert "p@ss" not in path.read_text()
    assert path.read_bytes().endswith(b"\n")
    assert (report.written, report.left_out) == (3, [])
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (account(1, "al(ice"), "username"),
        (account(1, "al%20ice"), "username"),
        (account(1, "ålice"), "username"),
        (account(1, "alice\n"), "username"),
        (account(1, ""), "username"),
        (account(1, "alice", domain="[2001:db8::1]"), "domain"),
        (account(1, "alice", passwords=()), "no password"),
        (account(1, "alice", passwords=(Password(Algorithm.MD5, "clear text ;"),)), "not a hash"),
    ],
)
def test_what_the_grammar_cannot_carry_is_reported_and_breaks_nothing(tmp_path, made, why):
    path = tmp_path / "users.db"
    report = export(path, made, account(2, "bobby"))
    assert path.read_text() == f"version:1\n\nbobby@sip.example.org md5:{MD5} sha256:{SHA_256} ;\n"
    assert report.written == 1
    assert [address for address, _ in report.left_out] == [made.address]
    assert why in report.left_out[0][1]


def test_a_phone_number_that_the_grammar_cannot_carry_is_left_out(tmp_path):
    path = tmp_path / "users.db"
    assert export(path, account(1, "alice", phone="+33 (6)")).written == 1
    assert path.read_text().endswith(" ;\n")


@given(
    st.builds(
        SipCredentials,
        id=st.just(1),
        username=st.text(max_size=12),
        domain=st.text(max_size=12),
        phone=st.none() | st.text(max_size=8),
        hashes=st.dictionaries(st.sampled_from(["MD5", "SHA-256"]), st.sampled_from([MD5, SHA_256, "", "a b", "x;\n"])),
    )
)
def test_no_account_breaks_the_file(entry):
    try:
        line = userdb.line(entry)
    except ValueError:
        return
    assert FILE.fullmatch("version:1\n\n" + line)
    assert line.count("\n") == 1


def test_a_failed_export_leaves_the_former_file_and_nothing_else(tmp_path):
    path = tmp_path / "users.db"
    export(path, account(1, "alice"))
    before = path.read_bytes()

    async def broken():
        yield account(2, "bob")
        raise OSError("the database is away")

    with pytest.raises(OSError, match="away"):
        asyncio.run(userdb.export(broken(), path))
    with pytest.raises(ConfigurationError):
        export(path, account(2, "bob"), group="no-such-group")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_of_the_former_file_keeps_it_whole(tmp_path):
    path = tmp_path / "users.db"
    export(path, account(1, "alice"))
    with path.open() as reader:
        export(path, account(2, "bob"))
        assert "alice" in reader.read()
    assert "bob" in path.read_text()


def test_without_md5_its_hashes_stay_here(tmp_path):
    path = tmp_path / "users.db"
    only_md5 = account(2, "bob", passwords=(Password(Algorithm.MD5, MD5),))
    report = export(path, account(1, "alice"), only_md5, md5=False)
    assert path.read_text() == f"version:1\n\nalice@sip.example.org sha256:{SHA_256} ;\n"
    assert [address for address, _ in report.left_out] == [only_md5.address]
