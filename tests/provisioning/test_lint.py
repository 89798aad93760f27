"""Faults that are found in base files."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from flexiapi.cli import main
from flexiapi.provisioning.lint import RcFault, faults
from flexiapi.settings import UiSettings

EXAMPLE = Path(__file__).parents[2] / "config" / "provisioning.rc"

ERRORS = {
    "malformed": ("[sip]\nno value\n", "line 2"),
    "identity for all": ("[proxy_0]\nreg_identity=sip:a@b\nreg_proxy=sip:b\n", "[proxy_0] reg_identity"),
    "server is no URI": ("[proxy_default_values]\nreg_proxy=sip.example.org\n", "must be a SIP URI"),
    "link in a QR code": ("[misc]\nconfig-uri=linphone-config:https://x/provisioning\n", "`linphone-config:`"),
    "credentials for all": ("[auth_info_0]\nusername=a\npasswd=b\n", "same credentials"),
    "gap": ("[auth_info_1]\nusername=a\n", "without gaps, not 1"),
}
WARNINGS = {
    "unknown section": ("[proxi_0]\nreg_expires=1\n", "did you mean `proxy`?"),
    "unknown key": ("[proxy_default_values]\nreg_proxi=<sip:x>\n", "did you mean `reg_proxy`?"),
    "no server": ("[proxy_0]\nreg_expires=3600\n", "has no reg_proxy"),
    "no identity": ("[proxy_1]\nreg_proxy=<sip:x>\n", "has no reg_identity"),
    "words": ("[sip]\nverify_server_certs=true\n", "1 and 0, not `true`"),
    "contacts": ("[misc]\ncontacts-vcard-list=https://x/\n", "takes the place of the list"),
    "twice": ("[sip]\na=1\nb=2\na=3\n", "in line 2 and in line 4"),
}


@pytest.mark.parametrize(("name", "is_error"), [*((one, True) for one in ERRORS), *((one, False) for one in WARNINGS)])
def test_a_fault_is_told(name, is_error):
    text, words = (ERRORS if is_error else WARNINGS)[name]
    [found] = faults(text)
    assert found.is_error == is_error
    assert words in found.text


def test_the_example_and_what_the_server_sends_have_no_fault():
    assert faults(EXAMPLE.read_text()) == []
    assert faults("[proxy_default_values]\nreg_proxy=<sip:x;transport=tls>\n[proxy_0]\nreg_expires=3600\n") == []
    assert faults("[ui]\n" + "".join(f"{name}=1\n" for name in UiSettings.model_fields)) == []


def test_errors_make_the_status_and_warnings_do_not(tmp_path):
    file = tmp_path / "base.rc"
    runs = {}
    for name, (text, _) in {"error": ERRORS["gap"], "warning": WARNINGS["words"], "": ("[sip]\n", "")}.items():
        file.write_text(text)
        runs[name] = CliRunner().invoke(main, ["provisioning", "lint", str(file)])
    assert {name: run.exit_code for name, run in runs.items()} == {"error": 1, "warning": 0, "": 0}
    assert [run.output.partition(":")[0].strip() for run in runs.values()] == ["error", "warning", "Nothing is wrong."]
    file.write_bytes(b"\xff")
    assert "is not UTF-8" in CliRunner().invoke(main, ["provisioning", "lint", str(file)]).output


def test_a_fault_has_a_text_for_people():
    assert all(isinstance(one, RcFault) and one.text for text, _ in ERRORS.values() for one in faults(text))
