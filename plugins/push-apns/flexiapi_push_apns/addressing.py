"""Parsing of the RFC 8599 parameters into topic and device token."""

import re
from dataclasses import dataclass, field

from flexiapi.plugin import Permanent, PushMessage

_TEAM_AND_BUNDLE = re.compile(r"([A-Za-z0-9]{1,32})\.([A-Za-z0-9.-]{1,200})")
_TOKEN = re.compile(r"[0-9A-Fa-f]{64,200}")
_SERVICES = {"voip", "remote"}


@dataclass(frozen=True, slots=True)
class Target:
    """The address of a notification; `topic` is the bundle ID, with `.voip` for a call (`is_for_calls`)."""

    team: str
    topic: str
    token: str = field(repr=False)
    is_for_calls: bool = False


def target(message: PushMessage) -> Target:
    """Parse `<team>.<bundle>[.<services>]` and `<token>[:<service>][&...]`. Raises `Permanent`.

    Calls use the token for calls, if the device has one. All others use that for remote notifications: the other one
    would wake the app as for a call.
    """
    team, topic, services = _param(message.param)
    tokens = _tokens(message.prid, services)
    # Messages of earlier servers have no purpose.
    if getattr(message, "purpose", "background") == "call" and "voip" in tokens:
        return Target(team, f"{topic}.voip", tokens["voip"], is_for_calls=True)
    if "remote" not in tokens:
        raise Permanent("pn_prid has no token for remote notifications")
    return Target(team, topic, tokens["remote"])


def _param(param: str) -> tuple[str, str, list[str]]:
    rest, _, last = param.rpartition(".")
    named = last.split("&")
    services = named if set(named) <= _SERVICES and len(set(named)) == len(named) else []
    parts = _TEAM_AND_BUNDLE.fullmatch(rest if services else param)
    if parts is None:
        raise Permanent(f"pn_param {param!r} is not <team ID>.<bundle ID>[.<services>]")
    return parts[1], parts[2], services or ["remote"]


def _tokens(prid: str, services: list[str]) -> dict[str, str]:
    """Return the token by service; a single token may omit its service."""
    written = [part.partition(":") for part in prid.split("&")]
    if len(written) != len(services):
        raise Permanent("pn_prid has not one token for each service in pn_param")
    tokens = {service or services[0]: token for token, _, service in written}
    if set(tokens) != set(services) or not all(_TOKEN.fullmatch(token) for token in tokens.values()):
        raise Permanent("pn_prid is not <token>[:<service>] for each service in pn_param")
    return tokens
