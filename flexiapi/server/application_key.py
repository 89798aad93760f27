"""The application key of an installation: the configured one, or the one in the data path."""

from pathlib import Path

from flexiapi import files
from flexiapi.crypto.keys import ApplicationKey, load_or_create
from flexiapi.errors import ConfigurationError
from flexiapi.settings import Settings
from flexiapi.store import EmbeddedMongod


def key_file(settings: Settings) -> Path:
    """Return the file of the key that is used if `app.key` is not set."""
    return settings.data.path / "application.key"


def existing_key(settings: Settings) -> ApplicationKey | None:
    """Return the key, or `None` if there is none yet. Raises `ConfigurationError`."""
    if settings.app.key is not None:
        return ApplicationKey(settings.app.key.get_secret_value(), _previous(settings))
    file = key_file(settings)
    with files.in_data_path(file, "read"):
        return _read(file, settings) if file.exists() else None


def application_key(settings: Settings) -> ApplicationKey:
    """Return the key, made if there is neither key nor database yet. Raises `ConfigurationError`."""
    # Checked before the key: another process that starts now makes the key first, and then the database.
    is_used = settings.mongodb.is_embedded and EmbeddedMongod.has_data(settings.data.path)
    key = existing_key(settings)
    if key is not None:
        return key
    file = key_file(settings)
    if is_used:
        raise key_missing(settings)
    files.refuse_foreign_owner(settings.data.path)
    with files.in_data_path(file):
        return ApplicationKey(load_or_create(settings.data.path), _previous(settings))


def key_missing(settings: Settings) -> ConfigurationError:
    """Return the error for a database whose key is not here."""
    return ConfigurationError(
        f"{key_file(settings)} is missing: without this key, the accounts in the database cannot sign in. "
        "Restore the file from the backup, or set app.key (APP_KEY) to the key that was in use."
    )


def _read(file: Path, settings: Settings) -> ApplicationKey:
    previous = _previous(settings)
    try:
        return ApplicationKey(file.read_text().strip(), previous)
    except (ConfigurationError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{file} holds no application key: it is empty, too short, or no text. Restore it from the backup; "
            "remove it only if nothing was ever kept with it."
        ) from error


def _previous(settings: Settings) -> list[str]:
    previous = [key.get_secret_value() for key in settings.app.previous_keys]
    for number, key in enumerate(previous, start=1):
        try:
            ApplicationKey(key)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"app.previous_keys (APP_PREVIOUS_KEYS): key {number} is too short to have been an application key."
            ) from error
    return previous
