import json
from importlib.metadata import version

import pytest
from click.testing import CliRunner

from flexiapi.cli import main
from tests.kit.backends import MODULE

SETTINGS = """
[data]
path = "{path}"

[sms.main]
backend = "outbox"

[push.main]
backend = "outbox"
path = "{path}/no/../file"
"""


@pytest.fixture
def flexiapi(tmp_path):
    """Runs the command with settings in which SMS and push go to files."""
    file = tmp_path / "flexiapi.toml"
    file.write_text(SETTINGS.format(path=tmp_path))

    def run(*arguments, settings=None):
        if settings is not None:
            file.write_text(settings)
        return CliRunner().invoke(main, ["--config", str(file), "plugins", *arguments])

    return run


def rows(output):
    return {tuple(line.split()) for line in output.splitlines()}


def test_the_table_of_backends(flexiapi):
    listed = rows(flexiapi().output)
    assert ("sms", "outbox", "flexiapi-outbox", version("flexiapi-outbox"), "[sms.main]") in listed
    assert ("push", "outbox", "flexiapi-outbox", version("flexiapi-outbox"), "[push.main]") in listed
    assert ("mail", "outbox", "flexiapi-outbox", version("flexiapi-outbox"), "-") in listed
    assert rows(flexiapi("list").output) == listed


def test_a_backend_that_is_configured_and_not_installed(flexiapi):
    listed = rows(flexiapi(settings='[sms.main]\nbackend = "gone"').output)
    assert ("sms", "gone", "NOT", "INSTALLED", "[sms.main]") in listed


def test_the_fallback_and_the_mail_settings_count_as_configured(flexiapi):
    settings = '[delivery]\nfallback_backend = "outbox"\n[mail]\nhost = "localhost"\n'
    listed = rows(flexiapi(settings=settings).output)
    assert ("sms", "outbox", "flexiapi-outbox", version("flexiapi-outbox"), "[sms.outbox]") in listed
    assert ("mail", "smtp", "flexiapi-mail-smtp", version("flexiapi-mail-smtp"), "[mail.smtp]") in listed


def test_check_says_what_is_wrong_and_fails(flexiapi, tmp_path):
    done = flexiapi("check", "sms.main")
    assert (done.exit_code, done.stdout) == (0, "sms.main  could send now\n")
    (tmp_path / "file").write_text("")
    blocked = SETTINGS.format(path=tmp_path).replace("/no/../file", "/file/below")
    done = flexiapi("check", settings=blocked)
    assert done.exit_code == 1
    assert "sms.main  could send now" in done.output
    assert "push.main  " in done.output
    assert "cannot be written" in done.output


def test_check_tells_doubts_and_does_not_fail_for_them(flexiapi, install):
    source = MODULE.replace(
        "    async def close", "    def warnings(self):\n        return ['beware']\n\n    async def close"
    )
    install("flexiapi-sms-doubting", "doubting_backends", "[flexiapi.sms]\ndoubting = doubting_backends:Sms\n", source)
    done = flexiapi("check", settings='[sms.main]\nbackend = "doubting"\n')
    assert (done.exit_code, done.stdout) == (0, "sms.main  could send now\nsms.main  warning: beware\n")


def test_check_tells_what_is_left_at_the_provider(flexiapi, install):
    source = MODULE.replace(
        "    async def close", "    async def credit(self):\n        return 12.5\n\n    async def close"
    )
    install("flexiapi-sms-paid", "paid_backends", "[flexiapi.sms]\npaid = paid_backends:Sms\n", source)
    done = flexiapi("check", settings='[sms.main]\nbackend = "paid"\n')
    assert done.stdout == "sms.main  could send now; credit 12.5\n"


def test_send_calls_through_a_backend_that_can_call(flexiapi, install, tmp_path):
    done = flexiapi("send", "sms.main", "--to", "+33612345678", "--voice")
    assert (done.exit_code, done.stdout) == (0, "Accepted.\n")
    assert json.loads((tmp_path / "outbox.jsonl").read_text())["channel"] == "voice"
    pushing = flexiapi("send", "push.main", "--to", "pn-provider=fcm;pn-param=a;pn-prid=b", "--voice")
    assert "Only a backend for SMS can call" in pushing.output
    install("flexiapi-sms-mute", "mute_backends", "[flexiapi.sms]\nmute = mute_backends:Sms\n", MODULE)
    mute = flexiapi("send", "main", "--to", "+33612345678", "--voice", settings='[sms.main]\nbackend = "mute"\n')
    assert (mute.exit_code, "[sms.main] cannot call" in mute.output) == (1, True)


def test_check_says_where_a_backend_takes_reports(flexiapi, install):
    source = MODULE.replace(
        "    async def close", "    async def read_reports(self, callback):\n        return []\n\n    async def close"
    )
    install("flexiapi-sms-told", "told_backends", "[flexiapi.sms]\ntold = told_backends:Sms\n", source)
    done = flexiapi("check", settings='[sms.main]\nbackend = "told"\n')
    assert done.stdout == "sms.main  could send now; takes delivery reports at /callbacks/sms.main\n"


def test_check_of_nothing(flexiapi):
    done = flexiapi("check", settings="")
    assert done.exit_code == 1
    assert "No backend is configured" in done.output


def test_send_goes_through_the_backend(flexiapi, tmp_path):
    done = flexiapi("send", "sms.main", "--to", "+33612345678")
    assert (done.exit_code, done.stdout) == (0, "Accepted.\n")
    assert json.loads((tmp_path / "outbox.jsonl").read_text())["phone"] == "+33612345678"


def test_send_tells_what_to_do(flexiapi):
    assert "Say which: push.main, sms.main" in flexiapi("send", "main", "--to", "+33612345678").output
    assert "Configured: push.main, sms.main" in flexiapi("send", "other", "--to", "+33612345678").output
    assert "pn-param is missing" in flexiapi("send", "push.main", "--to", "pn-provider=fcm").output


@pytest.mark.parametrize("to", ["0612345678", "+33 6 12 34 56 78", "alice@example.org", "foo", "", "+33612345678\n"])
def test_send_takes_nothing_but_phone_numbers_for_sms(flexiapi, tmp_path, to):
    done = flexiapi("send", "sms.main", "--to", to)
    assert done.exit_code == 1
    assert f"`{to}` is not a phone number. Write + and the country's code" in done.output
    assert not (tmp_path / "outbox.jsonl").exists()


@pytest.mark.parametrize("to", ["+33612345678", "foo", "alice@", "a b@example.org"])
def test_send_takes_nothing_but_mail_addresses_for_mail(flexiapi, tmp_path, to):
    settings = f'[data]\npath = "{tmp_path}"\n[mail.main]\nbackend = "outbox"'
    assert f"`{to}` is not a mail address." in flexiapi("send", "main", "--to", to, settings=settings).output
    assert flexiapi("send", "main", "--to", "alice@mail.local", settings=settings).exit_code == 0


@pytest.mark.parametrize("to", ["+33612345678", "pn-provider=fcm;pn-param=;pn-prid=token"])
def test_send_takes_nothing_but_whole_push_addresses_for_push(flexiapi, to):
    done = flexiapi("send", "push.main", "--to", to)
    assert done.exit_code == 1
    assert "is missing. A push address is written pn-provider=" in done.output


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("pn-provider=nobody;pn-param=a;pn-prid=b", "pn-provider must be one of apns, apns.dev, fcm"),
        ("pn-provider=a b;pn-param=a;pn-prid=b", "pn-provider has characters that the API does not allow"),
        ("pn-provider=fcm;pn-param=a&b;pn-prid=b", "pn-param has characters that the API does not allow"),
        (f"pn-provider=fcm;pn-param=a;pn-prid={'b' * 1001}", "pn-prid has characters that the API does not allow"),
    ],
)
def test_send_refuses_what_the_api_would_refuse(flexiapi, to, told):
    done = flexiapi("send", "push.main", "--to", to)
    assert done.exit_code == 1
    assert told in done.output


def test_send_refuses_a_spelling_of_a_number_that_the_api_would_refuse(flexiapi):
    assert "is written +33612345678" in flexiapi("send", "sms.main", "--to", "+330612345678").output


def test_send_refuses_a_mail_address_that_is_too_long_for_the_api(flexiapi, tmp_path):
    settings = f'[data]\npath = "{tmp_path}"\n[mail.main]\nbackend = "outbox"'
    done = flexiapi("send", "main", "--to", f"{'a' * 40}@{'b' * 30}.example.org", settings=settings)
    assert "has more than 64 characters" in done.output


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ('frozenset({"a b"})', "takes no pn_provider that is written `a b`"),
        ("frozenset()", "no pn_provider leads to it"),
        ('"acme"', "no pn_provider leads to it"),
    ],
)
def test_check_refuses_providers_that_the_api_would_refuse(flexiapi, install, declared, told):
    source = MODULE.replace('providers = frozenset({"fcm"})', f"providers = {declared}")
    install("flexiapi-push-odd", "odd_backends", "[flexiapi.push]\nodd = odd_backends:Push\n", source)
    done = flexiapi("check", settings='[push.main]\nbackend = "odd"\n')
    assert done.exit_code == 1
    assert told in done.output


def test_send_that_fails_says_why(flexiapi, tmp_path):
    (tmp_path / "file").write_text("")
    done = flexiapi(
        "send", "main", "--to", "+33612345678", settings=f'[sms.main]\nbackend="outbox"\npath="{tmp_path}/file/below"'
    )
    assert done.exit_code == 1
    assert "`main` did not send: cannot write" in done.output


def test_new_writes_a_distribution(flexiapi, tmp_path):
    done = flexiapi("new", "sms", "example", "--directory", str(tmp_path))
    assert done.exit_code == 0
    assert "pip install -e .[test]" in done.output
    assert (tmp_path / "flexiapi-sms-example" / "flexiapi_sms_example.py").exists()


def test_new_makes_no_rival_of_what_is_installed(flexiapi, tmp_path):
    done = flexiapi("new", "sms", "http", "--directory", str(tmp_path))
    assert done.exit_code == 1
    assert f"sms backend `http` is in flexiapi-sms-http {version('flexiapi-sms-http')} already" in done.output
    assert not (tmp_path / "flexiapi-sms-http").exists()
    assert flexiapi("new", "push", "http", "--directory", str(tmp_path)).exit_code == 0


def test_new_makes_no_folders_above_its_own(flexiapi, tmp_path):
    done = flexiapi("new", "sms", "example", "--directory", str(tmp_path / "no" / "where"))
    assert done.exit_code == 1
    assert "flexiapi-sms-example cannot be written: No such file or directory." in done.output
    assert not (tmp_path / "no").exists()
