"""Types of settings: lists, networks, and values that an empty text leaves unset."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr

Network = IPv4Network | IPv6Network


def _separated(value: object) -> object:
    """Split a comma-separated list, as it is written in the environment."""
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return [item.strip() for item in value.split(",") if item.strip()]
    return value


def _networks(value: object) -> object:
    """Parse addresses and networks. Raises `ValueError` with the position of a wrong one."""
    items = _separated(value)
    if not isinstance(items, list | tuple):
        return items
    networks = []
    for number, item in enumerate(items, start=1):
        try:
            networks.append(ip_network(item))
        except ValueError as error:
            raise ValueError(f"number {number} is not an IP address or network, such as 10.0.0.0/8") from error
    return networks


def _empty_is_unset(value: object) -> object:
    """Treat an empty variable, or the word `null`, as unset."""
    return None if value in ("", "null", "(null)") else value


Names = Annotated[tuple[str, ...], BeforeValidator(_separated)]
Networks = Annotated[tuple[Network, ...], BeforeValidator(_networks)]
Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_separated)]
OptionalText = Annotated[str | None, BeforeValidator(_empty_is_unset)]
OptionalPath = Annotated[Path | None, BeforeValidator(_empty_is_unset)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(_empty_is_unset)]


class SettingsSection(BaseModel):
    """A TOML table: unknown keys are errors, and values are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)
