import pytest

from flexiapi.errors import ConfigurationError
from flexiapi.notify import Notifier, Transport, configured_backends
from flexiapi.settings import Settings

SMTP = {"host": "smtp.example.org", "username": "flexiapi", "password": "s3cret"}


def smtp_config(**mail):
    [outlet] = Notifier(Settings.model_validate({"mail": mail})).outlets
    return outlet.table, outlet.backend.config


def test_the_mail_settings_make_a_backend():
    table, config = smtp_config(**SMTP, from_address="server@example.org", from_name="Example", verify_peer=False)
    assert table == "mail.smtp"
    assert (config.host, config.tcp_port, config.username) == ("smtp.example.org", 587, "flexiapi")
    assert config.password.get_secret_value() == "s3cret"
    assert (config.from_address, config.from_name, config.verify_peer) == ("server@example.org", "Example", False)


@pytest.mark.parametrize(
    ("set_to", "means"), [("", "none"), ("none", "none"), ("ssl", "tls"), ("starttls", "starttls")]
)
def test_names_of_encryption(set_to, means):
    assert smtp_config(**SMTP, encryption=set_to)[1].encryption == means


def test_senders_of_named_mail_backends_are_those_of_mail_unless_set():
    own = {"backend": "smtp", "host": "a", "from_name": "Own"}
    table, config = smtp_config(from_address="server@example.org", from_name="Example", main=own)
    assert (table, config.from_address, config.from_name) == ("mail.main", "server@example.org", "Own")


def test_answers_and_bounces_go_where_the_mail_settings_say_unless_the_backend_has_its_own():
    mail = {"reply_to": "help@example.org", "bounce_address": "bounces@example.org"}
    own = {"backend": "smtp", "host": "a", "bounce_address": "own@example.org"}
    config = smtp_config(**mail, main=own)[1]
    assert (config.reply_to, config.bounce_address) == ("help@example.org", "own@example.org")
    config = smtp_config(main={"backend": "smtp", "host": "a"})[1]
    assert (config.reply_to, config.bounce_address) == (None, None)


def test_two_backends_called_smtp():
    with pytest.raises(ConfigurationError, match=r"\[mail\] host makes a backend `smtp`, and \[mail.smtp\] is another"):
        smtp_config(**SMTP, smtp={"backend": "smtp", "host": "b"})


def test_the_fallback_stands_in_for_what_is_not_configured():
    settings = Settings.model_validate({"delivery": {"fallback_backend": "outbox"}, "mail": SMTP})
    assert list(configured_backends(settings, Transport.SMS)) == ["outbox"]
    assert list(configured_backends(settings, Transport.MAIL)) == ["smtp"]
