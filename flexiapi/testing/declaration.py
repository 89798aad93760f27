"""Packaging and configuration of a backend, as tests to inherit."""

import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr, ValidationError

from flexiapi.plugin import Backend, MailBackend, PushBackend, SmsBackend
from flexiapi.testing.http1 import Gateway

_BASES: dict[str, Any] = {"flexiapi.push": PushBackend, "flexiapi.sms": SmsBackend, "flexiapi.mail": MailBackend}

_SECRET_NAME = re.compile(r"(^|_)(password|passphrase|secret|token|key)$")


class BackendDeclaration:
    """Tests of the packaging and configuration of a backend: `group` and `name` are those of its entry point."""

    pytestmark = pytest.mark.timeout(180)

    group: ClassVar[str]
    name: ClassVar[str]
    data_path: Path
    """A folder of this test; also the data folder that a `DataPath` is relative to."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.data_path = tmp_path

    def gateway(self) -> Any:
        """Return the provider's stand-in, a context manager; override it for another protocol than HTTP/1.1."""
        return Gateway()

    def settings(self, gateway: Any) -> dict[str, Any]:
        """Return settings with which the backend sends through the gateway, with all its secrets set."""
        raise NotImplementedError(f"{type(self).__name__} needs a method settings(self, gateway)")

    def backend_class(self) -> type[Backend[Any, Any]]:
        """Return the class that the entry point names."""
        found = entry_points(group=self.group, name=self.name)
        assert len(found) == 1, f"install the distribution: {len(found)} entry points `{self.name}` in {self.group}"
        loaded: type[Backend[Any, Any]] = next(iter(found)).load()
        return loaded

    def config(self, gateway: Any, **more: object) -> Any:
        """Return the validated settings."""
        options = {**self.settings(gateway), **more}
        return self.backend_class().Config.model_validate(options, context={"data_path": self.data_path})

    def test_installed_under_its_name(self) -> None:
        assert self.group in _BASES, f"the group is one of {', '.join(_BASES)}"
        assert issubclass(self.backend_class(), _BASES[self.group])

    def test_every_setting_is_described(self) -> None:
        fields = self.backend_class().Config.model_fields
        assert [name for name, field in fields.items() if not field.description] == []

    def test_unknown_settings_are_refused(self) -> None:
        with self.gateway() as gateway, pytest.raises(ValidationError, match="no_such_setting"):
            self.config(gateway, no_such_setting=1)

    def test_secrets_are_hidden(self) -> None:
        with self.gateway() as gateway:
            config = self.config(gateway)
        values = {name: getattr(config, name) for name in type(config).model_fields}
        open_secrets = [name for name, value in values.items() if _SECRET_NAME.search(name) and isinstance(value, str)]
        assert open_secrets == [], "make these settings SecretStr"
        secrets = [value.get_secret_value() for value in values.values() if isinstance(value, SecretStr)]
        assert [name for name in secrets if name and name in f"{config!r} {config}"] == []
