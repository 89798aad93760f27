"""`flexiapi check` names the files of secrets that others can read."""

import pytest
from click.testing import CliRunner

from flexiapi.cli import main
from flexiapi.cli.secret_files import readable_by_others
from flexiapi.settings import Settings

pytestmark = pytest.mark.security


@pytest.fixture
def installation(folder):
    """Settings with secrets, their file and their data folder, where others may enter."""
    folder.chmod(0o755)
    data = folder / "data"
    data.mkdir(mode=0o755)
    source = folder / "flexiapi.toml"
    source.write_text('[push.apple]\nbackend = "apns"\nkey_file = "apple.p8"\n[app]\nname = "key of all"\n')
    for name in ("application.key", "outbox.jsonl", "auth.sqlite", "apple.p8"):
        (data / name).write_text("secret")
    settings = Settings(data={"path": data}, flexisip={"auth_replica": data / "auth.sqlite"})
    for path in (*data.iterdir(), source):
        path.chmod(0o644)
    return settings, source, data


def found(settings, source):
    return [path.name for path in readable_by_others(settings, source)]


def test_each_file_of_secrets_is_named(installation):
    settings, source, data = installation
    assert found(settings, source) == ["application.key", "outbox.jsonl", "auth.sqlite", "apple.p8"]
    for path in data.iterdir():
        path.chmod(0o640)
    assert found(settings, source) == []


def test_the_key_of_the_server_s_certificate_is_one(folder):
    folder.chmod(0o755)
    key = folder / "key.pem"
    key.write_text("secret")
    key.chmod(0o644)
    settings = Settings(server={"certificate": folder / "cert.pem", "key": key}, data={"path": folder / "data"})
    assert found(settings, None) == ["key.pem"]


def test_a_folder_that_others_cannot_enter_protects_its_files(installation):
    settings, source, data = installation
    data.chmod(0o750)
    assert found(settings, source) == []


@pytest.mark.parametrize(
    ("line", "is_secret"),
    [
        ('app.key = "k"', True),
        ('app.previous_keys = ["k"]', True),
        ('redis.password = "p"', True),
        ('sms.main.auth_token = "t"', True),
        ('mongodb.uri = "mongodb://user:password@host/"', True),
        ('mongodb.uri = "mongodb://host:27017/"', False),
        ('app.name = "secret"', False),
        ('nocaptcha.sitekey = "public"', False),
        ('app.key = ""', False),
        ('server.key = "/etc/flexiapi/key.pem"', False),
    ],
)
def test_the_settings_file_counts_if_it_holds_a_secret(installation, line, is_secret):
    settings, source, data = installation
    data.chmod(0o750)
    source.write_text(line)
    assert found(settings, source) == (["flexiapi.toml"] if is_secret else [])


def test_check_warns_and_says_what_to_do(folder):
    folder.chmod(0o755)
    source = folder / "flexiapi.toml"
    lines = (f'app.key = "{"k" * 40}"', f'data.path = "{folder}/var"', 'delivery.fallback_backend = "outbox"')
    source.write_text("\n".join(lines))
    for mode, is_told in ((0o644, True), (0o600, False)):
        source.chmod(mode)
        done = CliRunner().invoke(main, ["--config", str(source), "check"])
        assert done.exit_code == 0, done.output
        assert (f"secrets       warning: every user of this host can read {source}" in done.stdout) is is_told
        assert (f"chmod o-rwx {source}" in done.stdout) is is_told
