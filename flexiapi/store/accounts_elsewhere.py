"""Accounts on other servers in the documents of accounts: bridged and external ones."""

from typing import Any

from flexiapi.crypto.keys import ApplicationKey, SealedText, opened
from flexiapi.model import Algorithm, BridgedAccount, BridgeProtocol, ExternalAccount

Document = dict[str, Any]

_OF_EXTERNAL = ("username", "domain", "group")
_OPTIONAL = ("realm", "registrar", "outbound_proxy")


def bound_to_bridge(owner: int) -> str:
    """Return the context that the seal of a bridged account is bound to."""
    return f"bridged account of account:{owner}"


def bridge_document(bridged: BridgedAccount, owner: int, key: ApplicationKey) -> Document:
    """Return a bridged account as it is stored, with its hash sealed."""
    bound = bound_to_bridge(owner)
    same = bridged.stored.sealed(bound) if isinstance(bridged.stored, SealedText) else None
    optional = {name: value for name in _OPTIONAL if (value := getattr(bridged, name)) is not None}
    return {
        "number": bridged.number,
        "username": bridged.username,
        "domain": bridged.domain,
        "protocol": str(bridged.protocol),
        "sealed": same or key.seal(opened(bridged.stored), bound),
        "created_at": bridged.created_at,
        "updated_at": bridged.updated_at,
        **optional,
    }


def bridge_read(item: Document, owner: int, key: ApplicationKey) -> BridgedAccount:
    """Return a bridged account as it was stored."""
    return BridgedAccount(
        item["number"],
        item["username"],
        item["domain"],
        BridgeProtocol(item["protocol"]),
        SealedText(key, item["sealed"], bound_to_bridge(owner)),
        item["created_at"],
        item["updated_at"],
        **{name: item[name] for name in _OPTIONAL if name in item},
    )


def external_document(external: ExternalAccount, bound: str, key: ApplicationKey) -> Document:
    """Return an external account as it is stored, with its hash sealed and bound to a context."""
    secret = {"algorithm": str(external.algorithm), "sealed": key.seal(external.ha1, bound)}
    return {name: getattr(external, name) for name in _OF_EXTERNAL} | secret


def external_read(item: Document, bound: str, key: ApplicationKey) -> ExternalAccount:
    """Return an external account as it was stored."""
    ha1 = SealedText(key, item["sealed"], bound)
    return ExternalAccount(item["username"], item["domain"], item["group"], ha1, Algorithm(item["algorithm"]))
