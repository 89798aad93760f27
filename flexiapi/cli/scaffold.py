"""Scaffold of a distribution with a notification backend and tests that pass."""

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flexiapi import __version__
from flexiapi.errors import ConfigurationError
from flexiapi.files import shared
from flexiapi.notify import Transport, installed_backends

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_BY_TRANSPORT: dict[Transport, dict[str, Any]] = {
    Transport.PUSH: {
        "what": "push notifications",
        "message": "PushMessage",
        "payload": '{"prid": message.prid, "data": dict(message.data)}',
        "addressed_by": "prid",
        "refusal": "too large",
        "example_to": "'pn-provider=NAME;pn-param=app;pn-prid=token'",
    },
    Transport.SMS: {
        "what": "SMS",
        "message": "SmsMessage",
        "payload": '{"id": message.idempotency_key, "phone": message.phone, "text": message.text}',
        "addressed_by": "phone",
        "refusal": "bad number",
        "example_to": "+33612345678",
    },
    Transport.MAIL: {
        "what": "mails",
        "message": "MailMessage",
        "payload": "dataclasses.asdict(message)",
        "addressed_by": "to",
        "refusal": "no such user",
        "example_to": "you@example.org",
    },
}


def write_distribution(transport: Transport, name: str, parent: Path) -> Path:
    """Write `flexiapi-TRANSPORT-NAME` into a new folder under `parent` and return the folder.

    Raises `ConfigurationError` if the name is not valid or is that of an installed backend, or if the folder exists or
    cannot be written.
    """
    _validate_name(transport, name)
    values = _values(transport, name)
    folder = parent / str(values["distribution"])
    if folder.exists():
        raise ConfigurationError(f"{folder} exists already. Remove it, or choose another name.")
    files = _rendered(values)
    try:
        folder.mkdir()
        (folder / "tests").mkdir()
        for path, text in files.items():
            (folder / path).write_text(text, "utf-8")
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written: {error.strerror}.") from error
    return folder


def _validate_name(transport: Transport, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"`{name}` is not a valid name: use lower-case letters, digits and single hyphens, as in my-sms."
        )
    rivals = [backend for backend in installed_backends() if (backend.transport, backend.name) == (transport, name)]
    if rivals:
        raise ConfigurationError(
            f"{transport} backend `{name}` is in {rivals[0]} already; two of a name cannot be used. Choose another."
        )


def _values(transport: Transport, name: str) -> dict[str, Any]:
    of_transport = _BY_TRANSPORT[transport]
    words = "".join(word.capitalize() for word in name.split("-"))
    kind = transport.value.capitalize()
    failures = ["Permanent", "Retryable", "Throttled", *(["Unregistered"] if transport is Transport.PUSH else [])]
    functions = ["http_client", "retry_after", "tls_context"]
    return {
        **of_transport,
        "transport": transport.value,
        "name": name,
        "title": words,
        "distribution": f"flexiapi-{transport}-{name}",
        "module": f"flexiapi_{transport}_{name.replace('-', '_')}",
        "backend": f"{words}{kind}",
        "config": f"{words}Config",
        "base": f"{kind}Backend",
        "imports": sorted(
            ["BackendConfig", f"{kind}Backend", of_transport["message"], "Receipt", *failures, *functions]
        ),
        "example_to": of_transport["example_to"].replace("NAME", name),
        "major": int(__version__.partition(".")[0]),
    }


def _rendered(values: dict[str, Any]) -> dict[str, str]:
    environment = Environment(
        loader=FileSystemLoader(shared("templates") / "scaffold"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Python and TOML, made of checked names only
    )
    sources = {
        "pyproject.toml": "pyproject.toml.j2",
        "README.md": "README.md.j2",
        f"{values['module']}.py": "module.py.j2",
        f"tests/test_{values['module']}.py": "test.py.j2",
    }
    return {path: environment.get_template(source).render(values) for path, source in sources.items()}
