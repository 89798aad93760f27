"""Settings of the TURN service that relays the media of phones."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from flexiapi.settings.values import Names, OptionalSecret, SettingsSection

# RFC 7064 and RFC 7065, without user and password, which neither has.
_SERVER = re.compile(r"(?:stuns?|turns?):(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_TRANSPORT = re.compile(r"\?transport=(?:udp|tcp)")


def _are_uris(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        server, mark, transport = value.partition("?")
        is_turn = server.startswith("turn")
        if not _SERVER.fullmatch(server) or (mark and not (is_turn and _TRANSPORT.fullmatch(mark + transport))):
            raise ValueError(f"`{value}` is no URI of a server, such as turn:turn.example.org:3478?transport=udp")
    return values


class TurnSettings(SettingsSection):
    """A TURN service whose credentials are made with a shared secret, such as coturn with `use-auth-secret`."""

    uris: Annotated[Names, AfterValidator(_are_uris)] = Field(
        (), description="servers: turn:HOST[:PORT][?transport=udp|tcp], turns:, stun: or stuns:; none switches it off"
    )
    secret: OptionalSecret = Field(None, description="the secret of the servers: coturn's static-auth-secret")
    minutes: int = Field(1440, ge=1, le=43200, description="how long credentials are good, in minutes")
    username_has_address: bool = Field(
        False, description="put the SIP address into the user name, for the server's log, in place of random letters"
    )

    @model_validator(mode="after")
    def _has_secret(self) -> Self:
        if self.uris and self.secret is None:
            raise ValueError("uris without secret: set secret (TURN_SECRET) to the one of the servers")
        return self
