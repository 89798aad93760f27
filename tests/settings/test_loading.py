"""Settings: where they come from, which wins, what is refused, and the document that explains them."""

import re
import tomllib
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from flexiapi.errors import ConfigurationError
from flexiapi.notify import Transport, configured_backends
from flexiapi.settings import Settings
from flexiapi.settings.loading import load, misspelt
from flexiapi.settings.reference import document

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "config" / "flexiapi.toml"

SECTIONS = {
    name: field.annotation
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
}
EVERY_SETTING = [(table, key) for table, section in SECTIONS.items() for key in section.model_fields]


@pytest.fixture
def file(tmp_path):
    """Writes a settings file and returns its path."""

    def write(text):
        path = tmp_path / "flexiapi.toml"
        path.write_text(text)
        return path

    return write


def refused(file=None, environment=None):
    with pytest.raises(ConfigurationError) as caught:
        load(file, environment or {})
    return str(caught.value)


def outcome(environment):
    """The settings, or why there are none."""
    try:
        return load(None, environment)
    except ConfigurationError as error:
        return str(error)


class TestNames:
    @pytest.mark.parametrize(
        ("variable", "text", "place", "value"),
        [
            ("SERVER_ADDRESS", "0.0.0.0", "server.address", "0.0.0.0"),
            ("SERVER_PORT", "8081", "server.port", 8081),
            ("SERVER_PROCESSES", "3", "server.processes", 3),
            ("SERVER_TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8", "server.trusted_proxies", ["127.0.0.1", "10.0.0.0/8"]),
            ("SERVER_CORS_ORIGINS", "https://a.example.org", "server.cors_origins", ("https://a.example.org",)),
            ("APP_NAME", "Example Phone", "app.name", "Example Phone"),
            ("APP_ENV", "development", "app.env", "development"),
            ("APP_URL", "https://a.example.org/", "app.url", "https://a.example.org"),
            ("APP_SIP_DOMAIN", "SIP.example.com", "app.sip_domain", "sip.example.com"),
            ("APP_ADMINS_MANAGE_MULTI_DOMAINS", "true", "app.admins_manage_multi_domains", True),
            ("APP_DANGEROUS_ENDPOINTS", "true", "app.dangerous_endpoints", True),
            ("APP_API_KEY_EXPIRATION_MINUTES", "5", "app.api_key_expiration_minutes", 5),
            ("APP_LINPHONE_DAEMON_UNIX_PATH", "/run/l", "app.linphone_daemon_unix_path", Path("/run/l")),
            ("DATA_PATH", "/var/lib/flexiapi", "data.path", Path("/var/lib/flexiapi")),
            ("MONGODB_URI", "mongodb://db", "mongodb.uri", "mongodb://db"),
            ("MONGODB_DATABASE", "accounts", "mongodb.database", "accounts"),
            ("LIMITS_REQUESTS_PER_MINUTE", "0", "limits.requests_per_minute", 0),
            ("LIMITS_SMS_PER_HOUR", "7", "limits.sms_per_hour", 7),
            ("ACCOUNT_REALM", "example", "account.realm", "example"),
            ("ACCOUNT_REALM", "null", "account.realm", None),
            ("ACCOUNT_REALM", "", "account.realm", None),
            ("ACCOUNT_EMAIL_UNIQUE", "true", "account.email_unique", True),
            ("ACCOUNT_BLACKLISTED_USERNAMES", "root,admin.*", "account.blacklisted_usernames", ("root", "admin.*")),
            ("ACCOUNT_BLACKLISTED_USERNAMES", "", "account.blacklisted_usernames", ()),
            ("ACCOUNT_USERNAME_REGEX", "^[a-z]*$", "account.username_regex", "^[a-z]*$"),
            ("ACCOUNT_CONSUME_EXTERNAL_ACCOUNT_ON_CREATE", "1", "account.consume_external_account_on_create", True),
            ("ACCOUNT_PROXY_REGISTRAR_ADDRESS", "sip.a", "account.proxy_registrar_address", "sip.a"),
            ("ACCOUNT_TRANSPORT_PROTOCOL_TEXT", "TLS", "account.transport_protocol_text", "TLS"),
            ("ACCOUNT_PROVISIONING_RC_FILE", "/etc/rc", "account.provisioning_rc_file", Path("/etc/rc")),
            ("ACCOUNT_PROVISIONING_OVERWRITE_ALL", "true", "account.provisioning_overwrite_all", True),
            ("REDIS_HOST", "redis", "redis.host", "redis"),
            ("REDIS_PORT", "6380", "redis.port", 6380),
            ("REDIS_DB", "2", "redis.db", 2),
            ("REDIS_PREFIX", "x:", "redis.prefix", "x:"),
            ("REDIS_CLIENT", "phpredis-sentinel", "redis.client", "phpredis-sentinel"),
            ("REDIS_SENTINEL_HOST", "a,b", "redis.sentinel_host", ("a", "b")),
            ("REDIS_SENTINEL_PORT", "1", "redis.sentinel_port", 1),
            ("REDIS_SENTINEL_SERVICE", "main", "redis.sentinel_service", "main"),
            ("FLEXISIP_AUTH_REPLICA", "/var/a.sqlite", "flexisip.auth_replica", Path("/var/a.sqlite")),
            ("FLEXISIP_CLI_SOCKET", "/tmp/flexisip-*", "flexisip.cli_socket", "/tmp/flexisip-*"),
            ("MAIL_HOST", "smtp.example.org", "mail.host", "smtp.example.org"),
            ("MAIL_PORT", "25", "mail.port", 25),
            ("MAIL_USERNAME", "us", "mail.username", "us"),
            ("MAIL_ENCRYPTION", "tls", "mail.encryption", "tls"),
            ("MAIL_FROM_ADDRESS", "us@example.org", "mail.from_address", "us@example.org"),
            ("MAIL_FROM_NAME", "Us", "mail.from_name", "Us"),
            ("MAIL_SIGNATURE", "Us all", "mail.signature", "Us all"),
            ("MAIL_VERIFY_PEER", "false", "mail.verify_peer", False),
            ("NOCAPTCHA_SITEKEY", "key", "nocaptcha.sitekey", "key"),
        ],
    )
    def test_variable(self, variable, text, place, value):
        table, key = place.split(".")
        found = getattr(getattr(load(None, {variable: text}), table), key)
        assert found == (tuple(map(ip_network, value)) if isinstance(value, list) else value)

    @pytest.mark.parametrize(
        ("variable", "place"),
        [
            ("APP_KEY", "app.key"),
            ("MAIL_PASSWORD", "mail.password"),
            ("REDIS_URL", "redis.url"),
            ("REDIS_PASSWORD", "redis.password"),
            ("REDIS_SENTINEL_PASSWORD", "redis.sentinel_password"),
            ("FLEXISIP_SENDER_PASSWORD", "flexisip.sender_password"),
            ("NOCAPTCHA_SECRET", "nocaptcha.secret"),
        ],
    )
    def test_secret(self, variable, place):
        table, key = place.split(".")
        settings = load(None, {variable: "s3cret"})
        found = getattr(getattr(settings, table), key)
        assert isinstance(found, SecretStr)
        assert found.get_secret_value() == "s3cret"
        assert "s3cret" not in repr(settings)

    @pytest.mark.parametrize("text", ["first-key,second-key", '["first-key", "second-key"]'])
    def test_previous_keys(self, text):
        keys = load(None, {"APP_PREVIOUS_KEYS": text}).app.previous_keys
        assert [key.get_secret_value() for key in keys] == ["first-key", "second-key"]

    @pytest.mark.parametrize(("table", "key"), EVERY_SETTING)
    def test_every_setting_has_a_variable(self, table, key):
        assert outcome({f"{table}_{key}".upper(): "no value of its kind"}) != outcome({})

    def test_mail_variables_make_an_smtp_backend(self):
        settings = load(None, {"MAIL_HOST": "smtp.example.org", "MAIL_ENCRYPTION": "", "MAIL_PASSWORD": "s3cret"})
        backend = configured_backends(settings, Transport.MAIL)["smtp"]
        assert backend.backend == "smtp"
        assert backend.options["encryption"] == "none"
        assert "s3cret" not in repr(backend)

    def test_budgets_in_the_environment(self):
        settings = load(None, {"LIMITS_SMS_BY_PREFIX": '{"+33": 1000}', "LIMITS_SMS_DENIED_PREFIXES": "+882, +979"})
        assert settings.limits.sms_by_prefix == {"+33": 1000}
        assert settings.limits.sms_denied_prefixes == ("+882", "+979")

    def test_a_backend_in_the_environment(self):
        settings = load(None, {"SMS_MAIN": '{"backend": "outbox", "prefixes": ["+33"]}'})
        assert settings.sms["main"].backend == "outbox"
        assert settings.sms["main"].prefixes == ("+33",)


class TestSources:
    def test_defaults_are_safe(self):
        settings = load(None, {})
        assert settings.app.env == "production"
        assert settings.app.dangerous_endpoints is False
        assert settings.server.address == "127.0.0.1"
        assert settings.mongodb.uri == "embedded"
        assert settings.delivery.fallback_backend is None
        assert settings.limits.requests_per_minute == 600
        assert settings.account.pin_life == timedelta(minutes=10)

    def test_environment_beats_file(self, file):
        path = file('[app]\nname = "file"\nsip_domain = "file.example.org"\n[server]\nport = 1\n')
        settings = load(path, {"APP_NAME": "environment", "SERVER_PROCESSES": "2"})
        assert settings.app.name == "environment"
        assert settings.app.sip_domain == "file.example.org"
        assert (settings.server.port, settings.server.processes) == (1, 2)

    def test_variables_of_others_are_ignored(self):
        others = {
            "PATH": "/bin",
            "SERVER_SOFTWARE": "other",
            "APP_HOME": "/srv",
            "MAIL": "/var/mail/us",
            "MAIL_CHECK": "1",
            "LOG_": "x",
            "DATA": "x",
            "SMS_SERVICE": "x",
            "REDIS_PORT_6379_TCP": "tcp://172.17.0.2:6379",
        }
        assert load(None, others) == load(None, {})

    @pytest.mark.parametrize(
        ("tables", "url"),
        [
            ("", "http://127.0.0.1:8080"),
            ('[server]\naddress = "0.0.0.0"\nport = 81', "http://127.0.0.1:81"),
            ('[server]\ncertificate = "/c"\nkey = "/k"\nport = 443', "https://127.0.0.1:443"),
            ('[server]\naddress = "unix:/run/s"\n[app]\nurl = "https://a.example.org"', "https://a.example.org"),
            ('[server]\naddress = "::"', "http://[::1]:8080"),
            ('[server]\naddress = "192.0.2.1"', "http://192.0.2.1:8080"),
            ('[app]\nurl = "https://a.example.org/"', "https://a.example.org"),
        ],
    )
    def test_the_url_is_made_from_address_and_port(self, file, tables, url):
        assert load(file(tables), {}).app.url == url

    def test_nothing_changes_after_the_start(self):
        settings = load(None, {})
        with pytest.raises(ValueError, match="frozen"):
            settings.app.name = "other"


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("[app]\nsip_domian = 'x'", "[app] sip_domian: there is no such setting; did you mean `sip_domain`?"),
            ("[acount]\nrealm = 'x'", "[acount]: there is no such setting; did you mean `account`?"),
            ("[limits]\nzzz = 1", "[limits] zzz: there is no such setting"),
            ("[server]\nport = 70000", "[server] port (SERVER_PORT): Input should be less than or equal to 65535"),
            (
                "[account]\nusername_regex = '['",
                "[account] username_regex (ACCOUNT_USERNAME_REGEX): is not a regular expression",
            ),
            ('[account]\nrealm = "a\\nb"', "[account] realm (ACCOUNT_REALM): has characters"),
            ("[app]\nurl = 'accounts.example.org'", "[app] url (APP_URL): is not an absolute URL"),
            ("[app]\nterms_url = 'javascript:alert(1)'", "[app] terms_url (APP_TERMS_URL): is not the URL of a page"),
            ("[app]\nprivacy_url = '/privacy'", "[app] privacy_url (APP_PRIVACY_URL): is not the URL of a page"),
            ("[app]\nurl = 'https:///path'", "[app] url (APP_URL): is not an absolute URL"),
            ("[app]\nurl = 'https://a.example.org/?q'", "[app] url (APP_URL): is not an absolute URL"),
            ("[app]\nsip_domain = 'sip:x.org'", "[app] sip_domain (APP_SIP_DOMAIN): is not a domain alone"),
            ("[app]\nsip_domain = 'us@x.org'", "[app] sip_domain (APP_SIP_DOMAIN): is not a domain alone"),
            ("[mail]\nreply_to = 'help'", "[mail] reply_to (MAIL_REPLY_TO): is not a mail address alone"),
            (
                "[spaces.'b.example.org']\nbounce_address = 'B <b@example.org>'",
                "bounce_address: is not a mail address alone",
            ),
            ("[app]\nsip_domain = ''", "[app] sip_domain (APP_SIP_DOMAIN): is not a domain alone"),
            ("[server]\naddress = ''", "[server] address (SERVER_ADDRESS): names no address"),
            ("[sms.main]\nurl = 'x'", "[sms.main] backend is missing: name the kind of backend"),
            ("[sms]\nbackend = 'outbox'", "a backend needs a table with a name of your choice, such as [sms.main]"),
            ("[mail]\nhots = 'x'", "[mail] hots: there is no such setting; did you mean `host`?"),
            ("[sms]\nmain = 'outbox'", "a backend needs a table with a name of your choice, such as [sms.main]"),
            (
                '[limits.sms_by_prefix]\n"33" = 1',
                "[limits] sms_by_prefix.33 (LIMITS_SMS_BY_PREFIX): `33` begins no phone number: write + and digits",
            ),
            (
                '[limits.sms_by_prefix]\n"+33" = -1',
                "[limits] sms_by_prefix.+33 (LIMITS_SMS_BY_PREFIX): Input should be greater than or equal to 0",
            ),
            (
                '[limits.sms_by_prefix]\n"+33" = 9223372036854775808',
                "[limits] sms_by_prefix.+33 (LIMITS_SMS_BY_PREFIX): Input should be less than or equal to 1000000000",
            ),
            (
                '[limits]\nsms_denied_prefixes = ["0039"]',
                "[limits] sms_denied_prefixes.0 (LIMITS_SMS_DENIED_PREFIXES): `0039` begins no phone number",
            ),
            (
                '[limits]\nsms_denied_prefixes = ["+33"]\nsms_allowed_prefixes = ["+33", "+39"]',
                "[limits]: +33 is in sms_allowed_prefixes and in sms_denied_prefixes",
            ),
            ("sip_domain = 'x'", "[sip_domain]: there is no such setting; `sip_domain` belongs in [app]"),
            ("port = 1", "[port]: there is no such setting; `port` belongs in [server] or [redis] or [mail]"),
        ],
    )
    def test_what_is_wrong_is_named(self, file, text, sentence):
        assert sentence in refused(file(text))

    def test_peers_on_the_unix_socket_have_a_word(self):
        names = ("SERVER_TRUSTED_PROXIES", "SERVER_PROXY_PROTOCOL")
        server = load(None, dict.fromkeys(names, "unix, ::1")).server
        assert server.trusted_proxies == server.proxy_protocol == ("unix", ip_network("::1"))

    @pytest.mark.parametrize(
        ("environment", "sentence"),
        [
            ({"SERVER_CERTIFICATE": "/a"}, "[server]: certificate and key (SERVER_CERTIFICATE, SERVER_KEY) belong"),
            ({"SERVER_KEY": "/a"}, "[server]: certificate and key (SERVER_CERTIFICATE, SERVER_KEY) belong"),
            ({"SERVER_ADDRESS": "unix:/run/http.sock"}, "[app] url (APP_URL) is needed with a unix socket"),
            ({"SERVER_ADDRESS": "unix:http.sock"}, "(SERVER_ADDRESS): names no unix socket: write the whole path"),
            ({"SERVER_ADDRESS": "unix:/run/"}, "(SERVER_ADDRESS): names no unix socket: write the whole path"),
            ({"SERVER_ADDRESS": f"unix:/{'x' * 107}"}, "(SERVER_ADDRESS): is too long"),
            ({"SERVER_UNIX_MODE": "rw"}, '(SERVER_UNIX_MODE): is not a file mode, such as "0660"'),
            ({"METRICS_NETWORKS": "unix"}, "number 1 is not an IP address or network, such as 10.0.0.0/8"),
        ],
    )
    def test_what_is_wrong_with_the_entrance_is_named(self, environment, sentence):
        assert sentence in refused(environment=environment)

    @pytest.mark.parametrize("text", ["10.0.0.0/8,proxy.example.org", '["10.0.0.0/8", "proxy.example.org"]'])
    def test_a_wrong_network_is_one_line(self, text):
        said = refused(environment={"SERVER_TRUSTED_PROXIES": text}).splitlines()
        name = "[server] trusted_proxies (SERVER_TRUSTED_PROXIES)"
        assert said[1:] == [
            f"  {name}: number 2 is not an IP address or network, such as 10.0.0.0/8, or the word `unix`"
        ]

    def test_everything_wrong_is_named_at_once(self, file):
        message = refused(file("[app]\nfoo = 1"), {"SERVER_PORT": "x", "LOG_LEVEL": "loud"})
        assert len(message.splitlines()) == 4

    def test_values_are_not_repeated(self):
        assert "s3cret" not in refused(environment={"MONGODB_TIMEOUT_SECONDS": "s3cret"})

    def test_a_file_that_is_not_there(self, tmp_path):
        assert "cannot be read: No such file" in refused(tmp_path / "gone.toml")

    def test_no_toml(self, file):
        assert "is not valid TOML" in refused(file("[app"))


class TestMisspelt:
    @pytest.mark.parametrize(
        ("variable", "meant"),
        [
            ("ACCOUNT_EMAIL_UNIQE", "ACCOUNT_EMAIL_UNIQUE"),
            ("APP_SIP_DOMIAN", "APP_SIP_DOMAIN"),
            ("MAIL_HOTS", "MAIL_HOST"),
            ("REDIS_SENTINEL_HOSTS", "REDIS_SENTINEL_HOST"),
            ("LIMITS_REQUEST_PER_MINUTE", "LIMITS_REQUESTS_PER_MINUTE"),
        ],
    )
    def test_what_was_meant_is_told(self, variable, meant):
        assert list(misspelt({variable: "x"})) == [(variable, meant)]

    @pytest.mark.parametrize(
        "variable",
        [
            *("APP_DEBUG", "APP_HOME", "APP_VERSION", "APP_FLEXISIP_PUSHER_PATH", "APP_FLEXISIP_PUSHER_FIREBASE_KEY"),
            *("SERVER_NAME", "SERVER_SOFTWARE", "SERVER_PROTOCOL", "SERVER_HOST", "ACCOUNT_ID", "ACCOUNT_NAME"),
            *("LOG_", "LOG_CHANNEL", "LOG_FILE", "DATA", "DATA_DIR", "MAIL", "MAIL_CHECK", "MAIL_PATH", "MAIL_DRIVER"),
            *("MAIL_ALLOW_SELF_SIGNED", "MAIL_VERIFY_PEER_NAME", "SMS_SERVICE", "METRICS_PORT", "MONGODB_PORT"),
            *("REDIS_PORT_6379_TCP", "REDIS_SERVICE_HOST", "REDIS_SENTINEL_TIMEOUT", "REDIS_SENTINEL_READ_TIMEOUT"),
            *("REDIS_SENTINEL_PERSISTENT", "REDIS_SENTINEL_RETRY_INTERVAL", "LIMITS", "PATH", "SERVER_PORT"),
        ],
    )
    def test_variables_of_others_are_left_alone(self, variable):
        assert list(misspelt({variable: "x"})) == []


class TestTablesOfDomains:
    def test_a_domain_is_in_lower_case(self, file):
        assert load(file('[spaces."B.example.org"]\nquota = 5'), {}).spaces["b.example.org"].quota == 5

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("username_regex = '['", '[spaces."b.example.org"] username_regex: is not a regular expression'),
            ("quota = -1", '[spaces."b.example.org"] quota: Input should be greater'),
            ("realms = 'x'", '[spaces."b.example.org"] realms: a domain has no such setting; did you mean `realm`?'),
            ("md5 = false", '[spaces."b.example.org"] md5: a domain has no such setting'),
        ],
    )
    def test_what_is_wrong_is_named_with_table_and_key(self, file, text, sentence):
        assert sentence in refused(file(f'[spaces."b.example.org"]\n{text}'))

    @pytest.mark.parametrize("text", ['[spaces."b example"]', "[spaces]\nrealm = 'x'", "spaces = 'x'"])
    def test_a_table_needs_a_domain(self, file, text):
        assert "[spaces" in refused(file(text))

    def test_the_example_is_right(self, file):
        example = re.search(r"^# (\[spaces\..+\](?:\n# \w+ = .*)+)", document(), re.MULTILINE)[1]
        settings = load(file(example.replace("\n# ", "\n")), {})
        assert settings.spaces["b.example.org"].overrides["registration"] == "closed"

    def test_variables_express_no_tables(self):
        assert load(None, {"SPACES_REALM": "x"}).spaces == {}


class TestDocument:
    def test_the_committed_file_is_current(self):
        assert COMMITTED.read_text() == document(), "run: flexiapi settings > config/flexiapi.toml"

    def test_every_setting_is_described(self):
        for table, section in SECTIONS.items():
            assert section.__doc__, table
            for key, setting in section.model_fields.items():
                assert setting.description, f"{table}.{key}"
                assert f"\n#{key} = " in document()

    def test_as_it_stands_it_changes_nothing(self, file):
        assert load(file(document()), {}) == load(None, {})

    def test_every_line_uncommented_is_the_default(self, file):
        uncommented = re.sub(r"^#(?=[a-z0-9_]+ = )", "", document(), flags=re.MULTILINE)
        written = tomllib.loads(uncommented)
        assert [(table, key) for table, section in written.items() for key in section] == EVERY_SETTING
        assert load(file(uncommented), {}) == load(None, {})

    def test_the_example_backends_are_right(self, file):
        examples = re.findall(r"^# (\[(?:push|sms)\.\w+\](?:\n# \w+ = .*)+)", document(), re.MULTILINE)
        settings = load(file("\n".join(examples).replace("\n# ", "\n")), {})
        assert settings.push["android"].backend == "fcm"
        assert settings.sms["main"].prefixes == ("+33", "+32")

    def test_every_line_fits_a_terminal(self):
        assert all(len(line) <= 120 for line in document().splitlines())


@pytest.mark.parametrize("name", ["development.toml", "flexiapi.toml"])
def test_the_files_in_config_are_right(name):
    load(ROOT / "config" / name, {})
