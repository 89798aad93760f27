"""Field types of accounts on other SIP servers."""

import ipaddress
from typing import Annotated, Any

from pydantic import AfterValidator, Field, JsonValue, WithJsonSchema

from flexiapi import model
from flexiapi.errors import Violations
from flexiapi.services.fields import DOMAIN_NAME, Text, matching, one_of, printable

_PROTOCOLS = tuple(protocol.value for protocol in model.BridgeProtocol)


def _host(value: str) -> str:
    """Return a domain name or an IP address as a SIP address has it."""
    try:
        address = ipaddress.ip_address(value.removeprefix("[").removesuffix("]"))
    except ValueError:
        if DOMAIN_NAME.fullmatch(value.lower()):
            return value.lower()
        raise Violations("{field} must be a domain name or an IP address") from None
    return f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004  # IPv6


def _field(description: str, example: str, **schema: JsonValue) -> Any:
    return Field(description=description, examples=[example], json_schema_extra={"minLength": 1, **schema})


RemoteUsername = Annotated[
    Text,
    matching(
        r"[A-Za-z0-9_.!~*'()&=+$,;?/-]{1,64}", "{field} must be a user name of a SIP address (of 1 to 64 characters)"
    ),
    _field("user name on the other server", "alice4711", maxLength=64),
]
RemoteHost = Annotated[Text, AfterValidator(_host), _field("a domain name or an IP address", "sip.example.com")]
RemoteRealm = Annotated[
    Text,
    matching(r'[^"\\\x00-\x1f\x7f]{1,64}', "{field} must have 1 to 64 characters, without quotation marks"),
    _field("realm of the challenges of the other server, if it is not `domain`", "example.com", maxLength=64),
]
RemotePassword = Annotated[
    Text,
    Field(min_length=1),
    printable(128),
    _field("password on the other server; no answer has it", "wrong-donkey-battery", maxLength=128),
]
RemoteProtocol = Annotated[
    model.BridgeProtocol,
    one_of("{field} must be UDP, TCP or TLS", _PROTOCOLS),
    WithJsonSchema(
        {
            "type": "string",
            "enum": list(_PROTOCOLS),
            "description": "transport to the other server",
            "examples": ["TLS"],
        }
    ),
]
