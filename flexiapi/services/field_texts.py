"""Descriptions, examples and bounds of fields, for the API document. What refuses a value is in `fields`."""

from typing import Any

from pydantic import Field, JsonValue, WithJsonSchema

from flexiapi import language_tags
from flexiapi.model import KeyScope

SHORTEST = "x-shortest"
"""Key of a schema that names the setting with its shortest length, which may differ by space."""

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_OF_USERNAMES = "unique username, minimum 6 characters"
_OF_PASSWORDS = "minimum 6 characters"
_NAMED = "alice.martin"
_WORDS = "correct-horse-battery"


def _field(description: str, example: str, **schema: JsonValue) -> Any:
    return Field(description=description, examples=[example], json_schema_extra=schema)


def _of_type(description: str, example: str, **schema: JsonValue) -> WithJsonSchema:
    """Return the schema of a text that becomes something else, in place of what is known of that."""
    return WithJsonSchema({"type": "string", "description": description, "examples": [example], **schema})


def of_pattern(pattern: str) -> Any:
    """Return a field whose whole text matches a pattern."""
    return Field(json_schema_extra={"pattern": f"^{pattern}$"})


def _name(description: str, **schema: JsonValue) -> Any:
    return _field(description, _NAMED, minLength=1, maxLength=64, **schema)


USERNAME = _name(_OF_USERNAMES, **{SHORTEST: "username_min_length"})
PUBLIC_USERNAME = _name(
    f"{_OF_USERNAMES}; required if `phone` is not set. One that begins with `+` must be the phone number, and is a "
    "claim until it is proven",
    **{SHORTEST: "username_min_length"},
)
USERNAME_OF_DOMAIN = _name(_OF_USERNAMES)
EXISTING_USERNAME = _name(f"{_OF_USERNAMES} when it changes")
PASSWORD = _field(_OF_PASSWORDS, _WORDS, minLength=1, maxLength=128, **{SHORTEST: "password_min_length"})
PASSWORD_OF_DOMAIN = _field(_OF_PASSWORDS, _WORDS, minLength=1, maxLength=128)
ALGORITHM = _of_type("hash of the password: `SHA-256` or `MD5`", "SHA-256", enum=["SHA-256", "MD5"])
EMAIL = _field(
    "an e-mail address, must be unique if `account.email_unique` is set", "alice@example.org", minLength=3, maxLength=64
)
_NUMBER = r"^\+[0-9]{3,15}$"
PHONE = _field("a phone number in the form of E.164: `+` and digits", "+33612345678", pattern=_NUMBER)
CLAIMED_PHONE = _field(
    "a phone number in the form of E.164: `+` and digits; only a claim until a PIN sent to it proves it",
    "+33612345678",
    pattern=_NUMBER,
)
DOMAIN = _field("a SIP domain", "sip.example.org", minLength=3, maxLength=64, pattern=rf"^{_LABEL}(?:\.{_LABEL})*$")
LANGUAGE = _field(
    "language of mails and SMS to the owner, as a tag of BCP 47; one without templates is passed over",
    "pt-BR",
    maxLength=language_tags.LONGEST,
    pattern=f"^{language_tags.PATTERN}$",
)
DTMF_PROTOCOL = _of_type(
    "how keys are sent in a call: `sipinfo`, `sipmessage` or `rfc2833`",
    "sipinfo",
    enum=["sipinfo", "sipmessage", "rfc2833"],
)
CREATION_TOKEN = _field(
    "the unique `account_creation_token`; works once, for `account.creation_token_days` (7 by default)",
    "8tuVPTa9XcQ2k",
    pattern="^[A-Za-z0-9]{13}$",
)
CONFIRMATION_KEY = _field(
    "the mailed key; works once, for `account.activation_hours` (24); blanks, hyphens, case are ignored",
    "WATD-MY7P-TD4CZ",
    minLength=13,
)
PIN = _field("the PIN code; works once, for `account.pin_minutes` (10 by default)", "0427", pattern="^[0-9]{4}$")
CODE_CHANNEL = _of_type(
    "the way of a code to a phone number: `sms`, or `voice` for a call that reads it out, if the service can call that "
    "number; the limits of SMS count for both. Of no effect on a code that is mailed",
    "sms",
    enum=["sms", "voice"],
)
EXPIRY = _of_type(
    "a time of the form `Y-m-d H:i:s`, UTC. Only used when `activated` is not used or `false`. Enforces an expiration "
    "date on the returned `confirmation_key`. After that time public email or phone activation endpoints will return "
    "`403`",
    "2040-12-12 12:12:12",
    pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$",
)
KEY = _field("lower-case letters, digits, dashes", "open_door", pattern="^[a-z0-9_-]{1,64}$")
CODE = _field("lower-case letters and digits", "1234", pattern="^[a-z0-9]{1,64}$")
DICTIONARY = WithJsonSchema(
    {
        "type": "object",
        "description": "values of the operator's own: at most 100, texts of 1 to 255 characters, keys without `/`",
        "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 255},
        "maxProperties": 100,
        "examples": [{"customer": "C-1024"}],
    }
)
KEY_SCOPES = WithJsonSchema(
    {
        "type": "array",
        "description": "the rights of the key. "
        + " ".join(f"`{scope.value}`: {scope.description}" for scope in KeyScope),
        "minItems": 1,
        "items": {"type": "string", "enum": [scope.value for scope in KeyScope]},
        "examples": [["flexisip"]],
    }
)
