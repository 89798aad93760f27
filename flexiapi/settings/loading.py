"""Loading of settings from a TOML file and the environment, which takes precedence."""

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from flexiapi.errors import ConfigurationError
from flexiapi.settings import Settings, SpaceSettings

DEFAULT_FILE = Path("/etc/flexiapi/flexiapi.toml")
_TRANSPORTS = ("push", "sms", "mail")
_VERY_CLOSE = 0.87
# Settings that backends have, and that are no name for one.
_OF_BACKENDS = ("backend", "order", "prefixes", "url", "token", "key", "password", "username", "user", "host")

Tables = dict[str, Any]


def load(file: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Load the settings of a TOML file, by default `/etc/flexiapi/flexiapi.toml` if it exists, and the environment.

    Raises `ConfigurationError` naming every wrong setting.
    """
    source = source_of(file)
    tables = _read(source) if source is not None else {}
    _merge(tables, _of_environment(os.environ if environment is None else environment))
    try:
        settings = Settings.model_validate(tables)
    except ValidationError as error:
        raise ConfigurationError(_explained(error, source)) from error
    return _with_url(settings)


def source_of(file: Path | None) -> Path | None:
    """Return the file that settings are read from: the given one, the default one if it exists; /dev/null is none."""
    if file == Path(os.devnull):
        return None
    return file or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)


def _with_url(settings: Settings) -> Settings:
    if settings.app.url:
        return settings
    server = settings.server
    if server.unix_path is not None:
        raise ConfigurationError(
            "[app] url (APP_URL) is needed with a unix socket: the public root of the service, such as "
            "https://accounts.example.org"
        )
    host = f"[{server.address}]" if ":" in server.address else server.address
    host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104  # not usable by clients
    scheme = "http" if server.certificate is None else "https"
    app = settings.app.model_copy(update={"url": f"{scheme}://{host}:{server.port}"})
    return settings.model_copy(update={"app": app})


def _read(file: Path) -> Tables:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"The settings file {file} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The settings file {file} is not valid TOML: {error}.") from error


def _merge(below: Tables, above: Mapping[str, Any]) -> None:
    for name, value in above.items():
        if isinstance(value, Mapping) and isinstance(below.get(name), dict):
            _merge(below[name], value)
        else:
            below[name] = value


class _Environment(EnvSettingsSource):
    """A source that reads `ACCOUNT_EMAIL_UNIQUE` as `[account] email_unique` and ignores unrelated variables."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        super().__init__(Settings, env_nested_delimiter="_", env_nested_max_split=1)  # type: ignore[arg-type]  # not a BaseSettings: the file is another source

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in self._environment.items() if _is_ours(name, value)}

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Parse JSON lists and tables, and leave any other text to the setting itself."""
        try:
            decoded = super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value
        return decoded if isinstance(decoded, list | dict) else value


def _is_ours(name: str, value: str) -> bool:
    table, _, key = name.lower().partition("_")
    field = Settings.model_fields.get(table)
    if field is None or not key:
        return False
    section = field.annotation
    if isinstance(section, type) and issubclass(section, BaseModel) and key in section.model_fields:
        return True
    return table in _TRANSPORTS and value.lstrip().startswith("{")


def misspelt(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield variables that look like misspelt settings, each with the name that was probably meant.

    Only very close names count: other programs have a SERVER_NAME, and the original server a MAIL_VERIFY_PEER_NAME.
    """
    for name, value in environment.items():
        table, _, key = name.lower().partition("_")
        if table not in Settings.model_fields or _is_ours(name, value):
            continue
        swapped = [known for known in _names(table) if sorted(known) == sorted(key)]
        for known in swapped or difflib.get_close_matches(key, _names(table), n=1, cutoff=_VERY_CLOSE):
            yield name, f"{table}_{known}".upper()


def _of_environment(environment: Mapping[str, str]) -> Tables:
    try:
        return _Environment(environment)()
    except Exception as error:
        raise ConfigurationError(f"The environment cannot be read: {error.__cause__ or error}.") from error


def _explained(error: ValidationError, file: Path | None) -> str:
    lines = [_line(detail["loc"], detail) for detail in error.errors(include_url=False, include_input=False)]
    where = f" (file {file}, and the environment)" if file else ""
    return f"The settings are wrong{where}:\n" + "\n".join(f"  {line}" for line in lines)


def _line(place: Sequence[Any], detail: Mapping[str, Any]) -> str:
    table, *rest = (str(part) for part in place if part != "[key]")
    if table == "spaces":
        return _line_of_space(rest, detail)
    name = f"[{table}] {'.'.join(rest)}".strip()
    if table in _TRANSPORTS and detail["type"] == "missing" and rest[1:] == ["backend"]:
        return f"[{table}.{rest[0]}] backend is missing: name the kind of backend; `flexiapi plugins` lists them"
    is_unknown = detail["type"] == "extra_forbidden"
    if table in _TRANSPORTS and len(rest) == 1 and detail["type"] == "model_type":
        is_unknown = True
    if not is_unknown:
        variable = f" ({table}_{rest[0]})".upper() if rest else ""
        return f"{name}{variable}: {detail['msg'].removeprefix('Value error, ')}"
    if not rest and (tables := [f"[{other}]" for other in Settings.model_fields if table in _names(other)]):
        return f"{name}: there is no such setting; `{table}` belongs in {' or '.join(tables)}"
    close = difflib.get_close_matches(rest[-1] if rest else table, _names(table if rest else None), n=1)
    hint = f"; did you mean `{close[0]}`?" if close else ""
    if table in _TRANSPORTS and not close:
        label = "main" if rest[-1] in _OF_BACKENDS else rest[-1]
        hint = f"; a backend needs a table with a name of your choice, such as [{table}.{label}], above its settings"
    return f"{name}: there is no such setting{hint}"


def _line_of_space(place: Sequence[str], detail: Mapping[str, Any]) -> str:
    """Explain what is wrong in a table of a domain, such as `[spaces."b.example.org"]`."""
    name = " ".join([f'[spaces."{place[0]}"]', *place[1:]]) if place else "[spaces]"
    if detail["type"] == "extra_forbidden":
        close = difflib.get_close_matches(place[-1], SpaceSettings.model_fields, n=1)
        return f"{name}: a domain has no such setting" + (f"; did you mean `{close[0]}`?" if close else "")
    if detail["type"] in ("model_type", "dict_type"):
        return f'{name}: a domain needs a table, [spaces."b.example.org"]'
    return f"{name}: {detail['msg'].removeprefix('Value error, ')}"


def _names(table: str | None) -> list[str]:
    if table is None:
        return list(Settings.model_fields)
    section = Settings.model_fields[table].annotation
    return list(section.model_fields) if isinstance(section, type) and issubclass(section, BaseModel) else []
