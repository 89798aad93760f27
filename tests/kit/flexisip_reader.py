"""Flexisip's own rules for reading our answers (its domains-store, accounts-store and voicemail call-handler).

An independent copy of the rules, not of the code: what is missing or null where a text is needed throws away the whole
answer, and a word that is not in a list stands for the first one of it.
"""

import json
import re

_URI = re.compile(r"sips?:[A-Za-z0-9\-_.!~*'()&=+$,;?/%]+@[A-Za-z0-9.\-\[\]:]+")
_TYPES = ("always", "away", "busy")
_TARGETS = ("contact", "sip_uri", "voicemail")
_KINDS = ("account", "group", "unknown")
_BYTES_PER_SECOND = 104_857


class Unread(Exception):
    """Flexisip throws the answer away."""


def _required(value, name, kind):
    found = value.get(name)
    if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
        raise Unread(f"{name} is {found!r}")
    return found


def _uri(value, name):
    text = _required(value, name, str)
    if not _URI.fullmatch(text):
        raise Unread(f"{name} is no SIP URI: {text!r}")
    return text


def _word(text, words):
    return text if text in words else words[0]


def domains(status, body):
    """The domains that Flexisip serves from now on; it keeps the old ones for anything but 200 with an array."""
    if status != 200:
        raise Unread(f"status {status}")
    found = json.loads(body)
    if not isinstance(found, list):
        raise Unread("no array")
    return {_required(one, "domain", str) for one in found}


def account(value):
    """Id, URI and rules of an account, each rule as type, target and whether it is enabled."""
    rules = []
    for one in _required(value, "call_forwardings", list):
        kind = _word(_required(one, "type", str), _TYPES)
        target = _word(_required(one, "forward_to", str), _TARGETS)
        enabled = _required(one, "enabled", bool)
        place = {"contact": "contact_sip_uri", "sip_uri": "sip_uri"}.get(target)
        rules.append((kind, None if place is None else _uri(one, place), enabled))
    return _required(value, "id", int), _uri(value, "sip_uri"), rules


def resolved(body):
    """The account of an address, as `GET /api/resolve` tells it."""
    found = json.loads(body)
    if _word(_required(found, "type", str), _KINDS) != "account":
        raise Unread("no account")
    return account(_required(found, "payload", dict))


def slot(status, body, seconds=120):
    """The path that a voicemail is sent to; none is recorded if it could be too long for the slot."""
    if not 200 <= status < 300:
        raise Unread(f"status {status}")
    found = json.loads(body)
    for name in ("id", "sip_from", "content_type"):
        _required(found, name, str)
    if _required(found, "max_upload_size", int) < _BYTES_PER_SECOND * seconds:
        raise Unread("the slot is too small")
    return re.sub(r"^https?://[^/]+", "", _required(found, "upload_url", str)).partition("?")[0]
