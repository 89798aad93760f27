import sys

import pytest

from flexiapi.errors import ConfigurationError
from flexiapi.notify import Notifier, installed_backends
from flexiapi.settings import Settings


def settings(tmp_path, **tables):
    return Settings.model_validate({"data": {"path": tmp_path}, **tables})


def refusal(tmp_path, **tables):
    with pytest.raises(ConfigurationError) as caught:
        Notifier(settings(tmp_path, **tables))
    return str(caught.value)


def test_only_named_backends_are_imported(install, tmp_path):
    install("flexiapi-sms-broken", "broken_backend", "[flexiapi.sms]\nbroken = broken_backend:Sms", "raise Exception")
    Notifier(settings(tmp_path))
    assert "broken_backend" not in sys.modules
    [found] = [backend for backend in installed_backends() if backend.name == "broken"]
    assert (found.transport, found.distribution, found.version) == ("sms", "flexiapi-sms-broken", "2.1")


def test_two_distributions_with_one_name(install, tmp_path):
    install("flexiapi-sms-one", "backend_one", "[flexiapi.sms]\nsame = backend_one:Sms")
    install("flexiapi-sms-two", "backend_two", "[flexiapi.sms]\nsame = backend_two:Sms")
    text = refusal(tmp_path, sms={"main": {"backend": "same"}})
    assert "[sms.main]" in text
    assert "flexiapi-sms-one 2.1 and flexiapi-sms-two 2.1" in text


def test_name_that_is_not_installed(scripted, tmp_path):
    text = refusal(tmp_path, sms={"main": {"backend": "scriptd"}})
    assert "[sms.main] no sms backend `scriptd` is installed" in text
    assert "other" in text
    assert "scripted" in text


def test_module_that_cannot_be_imported(install, tmp_path):
    install("flexiapi-sms-lost", "lost_backend", "[flexiapi.sms]\nlost = lost_backend:Sms", "import no_such_module")
    text = refusal(tmp_path, sms={"main": {"backend": "lost"}})
    assert "flexiapi-sms-lost 2.1 cannot be imported: No module named 'no_such_module'" in text


def test_class_of_another_transport(install, tmp_path):
    install("flexiapi-sms-mixed", "mixed_backend", "[flexiapi.sms]\nmixed = mixed_backend:Mail")
    assert "is not a SmsBackend" in refusal(tmp_path, sms={"main": {"backend": "mixed"}})


def test_every_wrong_setting_is_named_with_its_table_and_purpose(scripted, tmp_path):
    text = refusal(tmp_path, sms={"main": {"backend": "scripted", "size": 0, "colour": "red", "token": ["s3cret"]}})
    assert "[sms.main] size (how many): Input should be greater than or equal to 1" in text
    assert "[sms.main] colour: there is no such setting. There are: url, token, size, file." in text
    assert "[sms.main] token (secret of the gateway)" in text
    assert "s3cret" not in text


def test_files_are_relative_to_the_data_folder(scripted, tmp_path):
    table = {"backend": "scripted"}
    tables = {"here": table, "there": {**table, "file": "/elsewhere"}}
    here, there = Notifier(settings(tmp_path, sms=tables)).outlets
    assert here.backend.config.file == tmp_path / "default.txt"
    assert str(there.backend.config.file) == "/elsewhere"


def test_prefixes_are_for_sms_and_in_international_form(scripted, tmp_path):
    text = refusal(tmp_path, sms={"main": {"backend": "scripted", "prefixes": ["+33", "0033"]}})
    assert "[sms.main] prefixes: 0033: write `+` and digits" in text
    assert "only SMS" in refusal(tmp_path, push={"main": {"backend": "scripted", "prefixes": ["+33"]}})
