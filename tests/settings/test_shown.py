"""The settings that administrators read."""

from flexiapi.settings import Settings
from flexiapi.settings.shown import HIDDEN, table_of_space, tables, tables_of_spaces

SECRETS = ("k" * 40, "p-mail", "p-redis", "p-token", "u-mongo", "p-mongo", "p-tls", "old-key-of-before", "p-captcha")
SETTINGS = Settings.model_validate(
    {
        "app": {"key": "k" * 40, "previous_keys": "old-key-of-before", "name": "Example"},
        "mongodb": {"uri": "mongodb://u-mongo:p-mongo@db.example.org/?tlsCertificateKeyFilePassword=p-tls&w=1"},
        "redis": {"password": "p-redis", "host": "redis.example.org"},
        "mail": {"password": "p-mail", "host": "smtp.example.org", "other": {"backend": "smtp", "password": "p-mail"}},
        "sms": {"main": {"backend": "http", "token": "p-token", "prefixes": "+33"}},
        "nocaptcha": {"secret": "p-captcha"},
        "spaces": {"b.example.org": {"name": "B", "quota": 5}},
    }
)


def rows():
    return {
        (table.name, one.key): one
        for table in (*tables(SETTINGS), *tables_of_spaces(SETTINGS))
        for one in table.settings
    }


def test_secrets_are_left_out_and_whether_they_are_set_is_told():
    found = rows()
    shown = repr(list(found.values()))
    assert [one for one in SECRETS if one in shown] == []
    assert found["app", "key"].value == HIDDEN
    assert found["app", "key"].is_changed
    assert (found["redis", "url"].value, found["redis", "url"].is_secret) == ("", True)
    assert (
        found["mongodb", "uri"].value
        == f"mongodb://{HIDDEN}@db.example.org/?tlsCertificateKeyFilePassword={HIDDEN}&w=1"
    )


def test_every_setting_is_there_with_default_and_description():
    found = rows()
    for section, field in Settings.model_fields.items():
        for key in getattr(field.annotation, "model_fields", ()):
            assert found[section, key].description, key
    name = found["app", "name"]
    assert (name.value, name.default, name.is_changed) == ("Example", Settings().app.name, True)
    assert found["sms.main", "prefixes"].value == '["+33"]'
    assert found["sms.main", "token"].value == HIDDEN
    assert found["mail.other", "backend"].value == "smtp"


def test_a_domain_shows_what_differs():
    found = {one.key: one for one in table_of_space(SETTINGS, "b.example.org").settings}
    assert (found["name"].value, found["name"].default, found["name"].is_changed) == ("B", "Example", True)
    assert (found["language"].is_changed, found["quota"].value) == (False, "5")


def test_a_directory_is_a_table_of_its_own():
    settings = Settings(directories={"staff": {"uri": "https://dav.example.org/", "delay": 250}})
    (table,) = [one for one in tables(settings) if one.name == "directories.staff"]
    assert {one.key: one.value for one in table.settings if one.is_changed} == {
        "uri": "https://dav.example.org/",
        "delay": "250",
    }
