"""Settings that may differ by domain: tables such as `[spaces."b.example.org"]`."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field, create_model

from flexiapi.settings.account import AccountSettings
from flexiapi.settings.delivery import MailSettings
from flexiapi.settings.panel import PanelSettings
from flexiapi.settings.sections import AppSettings
from flexiapi.settings.ui import UiSettings
from flexiapi.settings.values import OptionalText, SettingsSection

OVERRIDABLE: Mapping[str, str] = {
    "name": "app",
    "url": "app",
    "language": "app",
    "sms_sender": "app",
    "hue": "panel",
    "logo": "panel",
    "realm": "account",
    "username_regex": "account",
    "username_min_length": "account",
    "password_min_length": "account",
    "refuse_common_passwords": "account",
    "blacklisted_usernames": "account",
    "phone_countries": "account",
    "registration": "account",
    "panel_registration": "panel",
    "quota": "account",
    "provisioning_rc_file": "account",
    "provisioning_overwrite_all": "account",
    "proxy_registrar_address": "account",
    "transport_protocol_text": "account",
    "confirmed_text": "account",
    "from_address": "mail",
    "from_name": "mail",
    "reply_to": "mail",
    "bounce_address": "mail",
    "signature": "mail",
    **{f"ui_{name}": "ui" for name in UiSettings.model_fields},
}
"""The section of each setting that a table of a domain may override."""

_SECTIONS: Mapping[str, type[BaseModel]] = {
    "app": AppSettings,
    "account": AccountSettings,
    "panel": PanelSettings,
    "mail": MailSettings,
    "ui": UiSettings,
}


def field_of(key: str) -> str:
    """Return the name that a setting which a table of a domain may override has in its section."""
    return key.removeprefix(f"{OVERRIDABLE[key]}_")


def _fields() -> dict[str, Any]:
    """Return the fields of the sections as they are declared there."""
    fields = {key: _SECTIONS[section].model_fields[field_of(key)] for key, section in OVERRIDABLE.items()}
    return {key: (field.annotation, field) for key, field in fields.items()}


_Overrides = create_model("_Overrides", __base__=SettingsSection, **_fields())


class SpaceSettings(_Overrides):
    """The settings of one domain. A setting that its table does not have is that of the section."""

    host: OptionalText = Field(
        None,
        description="host name of the requests to this domain; unset, the one in its url, or without a url the domain",
    )

    @property
    def overrides(self) -> dict[str, Any]:
        """The settings that the table has, except the host name."""
        return {key: getattr(self, key) for key in OVERRIDABLE if key in self.model_fields_set}
