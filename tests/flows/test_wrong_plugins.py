"""The module that `flexiapi plugins new` writes, made wrong one way at a time: never a trace, always the line."""

import asyncio

import pytest
from click.testing import CliRunner

from flexiapi.cli import main
from flexiapi.cli.scaffold import write_distribution
from flexiapi.errors import DeliveryFailed
from flexiapi.notify import Notifier, Transport
from flexiapi.notify.outlet import Faulty
from flexiapi.plugin import SmsMessage
from flexiapi.settings import Settings

pytestmark = pytest.mark.usefixtures("no_waits")

TABLE = {"backend": "acme", "url": "http://127.0.0.1:9911/messages", "token": "s3cret"}
SEND = "    async def send(self, message: SmsMessage) -> Receipt:\n"
INIT = "    Config = AcmeConfig\n\n    def __init__"


@pytest.fixture
def acme(install, tmp_path):
    """Installs the new module with `old` replaced by `new`; returns its file."""
    folder = write_distribution(Transport.SMS, "acme", tmp_path)
    source = (folder / "flexiapi_sms_acme.py").read_text()

    def changed(old, new):
        assert old in source
        entry_points = "[flexiapi.sms]\nacme = flexiapi_sms_acme:AcmeSms"
        install("flexiapi-sms-acme", "flexiapi_sms_acme", entry_points, source.replace(old, new))
        return tmp_path / "site" / "flexiapi_sms_acme.py"

    return changed


def line(file, text):
    return f"{file}:{file.read_text().splitlines().index(text) + 1}"


@pytest.fixture
def flexiapi(tmp_path):
    def run(*arguments):
        file = tmp_path / "flexiapi.toml"
        file.write_text("[sms.main]\n" + "".join(f'{name} = "{value}"\n' for name, value in TABLE.items()))
        done = CliRunner().invoke(main, ["--config", str(file), "plugins", *arguments])
        assert isinstance(done.exception, SystemExit), done.exc_info
        assert done.exit_code == 1
        assert "s3cret" not in done.output
        return done.output

    return run


NOT_IMPORTED = "[sms.main] sms backend `acme` of flexiapi-sms-acme 2.1 cannot be imported: "
LACKS = "[sms.main] sms backend `acme` of flexiapi-sms-acme 2.1 lacks "


def test_a_syntax_error(acme, flexiapi):
    file = acme("import httpx\n", "import httpx\ndef (\n")
    told = flexiapi("check")
    assert NOT_IMPORTED + "invalid syntax (SyntaxError at " in told
    assert f"{line(file, 'def (')})." in told


@pytest.mark.parametrize("wrong", ["1 / 0", "import no_such_module", "from flexiapi.plugin import Reciept"])
def test_a_line_that_fails_on_import(acme, flexiapi, wrong):
    file = acme("import httpx\n", f"import httpx\n{wrong}\n")
    told = flexiapi("check")
    assert NOT_IMPORTED in told
    assert f"Error at {line(file, wrong)}). Install what it depends on, or correct it there." in told


def test_an_entry_point_to_nothing(acme, flexiapi):
    file = acme("AcmeSms", "AcmeTexts")
    told = flexiapi("check")
    assert NOT_IMPORTED + "module 'flexiapi_sms_acme' has no attribute 'AcmeSms'" in told
    assert f"AttributeError at {file}:" in told


@pytest.mark.parametrize("instead", ["", "    Config = dict\n", "    Config = AcmeConfig(url='http://a', token='b')\n"])
def test_no_config(acme, flexiapi, instead):
    file = acme("    Config = AcmeConfig\n", instead)
    place = line(file, "class AcmeSms(SmsBackend[AcmeConfig]):")
    assert f"{LACKS}a `Config` that is a BackendConfig. Add it to the class AcmeSms at {place}." in flexiapi("check")


def test_no_send(acme, flexiapi):
    file = acme("async def send(", "async def sent(")
    place = line(file, "class AcmeSms(SmsBackend[AcmeConfig]):")
    assert f"{LACKS}`send`. Add it to the class AcmeSms at {place}." in flexiapi("check")


@pytest.mark.parametrize(
    ("init", "kind", "at"),
    [
        ("(self):\n        pass", "TypeError", "    def __init__(self):"),
        (
            "(self, config):\n        raise OSError(config.token.get_secret_value())",
            "OSError",
            "        raise OSError(config.token.get_secret_value())",
        ),
        ("(self, config):\n        AcmeConfig()", "ValidationError", None),
    ],
)
def test_an_own_init_that_fails(acme, flexiapi, init, kind, at):
    file = acme("    Config = AcmeConfig\n", f"{INIT}{init}\n")
    told = flexiapi("check")
    assert f"[sms.main] AcmeSms cannot be made of its settings: {kind} at " in told
    assert at is None or line(file, at) in told


def test_a_validator_that_fails(acme, flexiapi):
    check = """
    @pydantic.field_validator("token")
    @classmethod
    def _look(cls, value):
        return {}[value.get_secret_value()]
"""
    file = acme("class AcmeSms", f"import pydantic\n\n\nclass More(AcmeConfig):{check}\n\nclass AcmeSms")
    file.write_text(file.read_text().replace("Config = AcmeConfig", "Config = More"))
    place = line(file, "        return {}[value.get_secret_value()]")
    assert f"[sms.main] AcmeSms cannot be made of its settings: KeyError at {place}." in flexiapi("check")


def test_a_start_that_fails(acme, flexiapi):
    file = acme("        token = self", "        token = self.lost\n        token = self")
    place = line(file, "        token = self.lost")
    assert f"[sms.main] cannot start: AttributeError at {place}" in flexiapi("check")


@pytest.mark.parametrize(("returns", "kind"), [("None", "NoneType"), ("'sent'", "str")])
def test_a_send_without_a_receipt_is_a_failed_delivery(acme, flexiapi, returns, kind):
    file = acme(SEND, f"{SEND}        return {returns}\n")
    reason = f"returned {kind} instead of a Receipt: `send` at {line(file, SEND.rstrip())}"
    assert f"`main` did not send: {reason}" in flexiapi("send", "main", "--to", "+33612345678")
    assert sent_by_the_host().__cause__.reason == reason


def test_a_send_that_is_not_async(acme):
    file = acme(
        SEND,
        "    def send(self, message: SmsMessage) -> Receipt:\n        return Receipt()\n\n"
        + SEND.replace("send", "other"),
    )
    place = line(file, "    def send(self, message: SmsMessage) -> Receipt:")
    assert sent_by_the_host().__cause__.reason == f"TypeError at {place}"


def sent_by_the_host():
    async def whole():
        notifier = Notifier(Settings.model_validate({"sms": {"main": TABLE}}))
        await notifier.start()
        try:
            await notifier.sms(SmsMessage("+33612345678", "Your code is 4711"))
        finally:
            await notifier.close()

    with pytest.raises(DeliveryFailed) as caught:
        asyncio.run(whole())
    assert isinstance(caught.value.__cause__, Faulty)
    return caught.value


def test_the_module_as_it_is_written_is_right(acme):
    acme("", "")
    assert len(Notifier(Settings.model_validate({"sms": {"main": TABLE}})).outlets) == 1
