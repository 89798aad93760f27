"""Settings of the measured server: limits off, because all load comes from one address; the others are defaults."""

import os
from pathlib import Path

from flexiapi.settings import LimitSettings, Settings

KEY = "benchmark" * 5
DOMAIN = "sip.example.org"
DATABASE = "benchmark"
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV")


def tables(url: str, database: str = DATABASE) -> dict[str, dict[str, object]]:
    fields = LimitSettings.model_fields.items()
    return {
        "app": {"key": KEY, "url": url, "sip_domain": DOMAIN, "dangerous_endpoints": True},
        "mongodb": {"database": database},
        "limits": {name: 0 for name, field in fields if field.annotation is int},
        "flexisip": {"external_auth": True},
        "statistics": {"days": 30},
        "log": {"level": "info"},
    }


def settings(url: str) -> Settings:
    return Settings.model_validate(tables(url))


def environment(port: int, uri: str, folder: Path, database: str, processes: int) -> dict[str, str]:
    """Return the variables of `flexiapi serve`. What is set in the shell, or in /etc, does not count."""
    chosen = tables(f"http://127.0.0.1:{port}", database)
    chosen["mongodb"]["uri"] = uri
    chosen["server"] = {"port": port, "processes": processes}
    chosen["data"] = {"path": folder}
    variables = {
        f"{table}_{name}".upper(): str(value).lower() if isinstance(value, bool) else str(value)
        for table, values in chosen.items()
        for name, value in values.items()
    }
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "FLEXIAPI_CONFIG": os.devnull, "TMPDIR": str(folder), **variables}
