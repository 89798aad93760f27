"""Field types of bodies and forms: syntax, normal form and examples.

Rules that depend on settings come with the validation context, which is the `NameRules` of the request's space. Where
the account may be of another one, services apply its rules: `UsernameOfDomain`, `ExistingUsername`, `PasswordOfDomain`.
"""

import re
from datetime import datetime
from typing import Annotated, Any, cast

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema

from flexiapi import language_tags, model
from flexiapi.crypto import codes
from flexiapi.errors import Violations
from flexiapi.services import field_texts
from flexiapi.services.conversions import (
    dictionary,
    digits,
    expiry,
    flag,
    page_number,
    typed_digits,
    typed_number,
)
from flexiapi.services.names import NameRules

# Closed networks have mail addresses in `.local` and the like. Their mail server knows which domains exist.
SPECIAL_USE_DOMAIN_NAMES.clear()

_LONGEST = 64
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LONGEST_PASSWORD = 128
_LONGEST_ADDRESS = 254
_PHONE = re.compile(r"\+[0-9]{3,15}")
DOMAIN_NAME = re.compile(r"(?=.{3,64}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")


def _rules(info: ValidationInfo) -> NameRules:
    return cast("NameRules", info.context)


def _refuse(texts: list[str]) -> None:
    if texts:
        raise Violations(*texts)


def _name_faults(value: str, info: ValidationInfo, *, may_be_phone: bool) -> list[str]:
    """Return the faults of a user name. Regexes of settings may be slow, so they see no more than a name may have."""
    rules = _rules(info)
    faults = rules.username(value[:_LONGEST], may_be_phone=may_be_phone)
    return faults if len(value) <= _LONGEST else ["{field} must have at most 64 characters", *faults]


def _username(value: str, info: ValidationInfo) -> str:
    _refuse(_name_faults(value, info, may_be_phone=False))
    return value


def _public_username(value: str, info: ValidationInfo) -> str:
    of_number = number_faults(value) if model.usual_name(value[:_LONGEST]).startswith("+") else []
    _refuse([*_name_faults(value, info, may_be_phone=True), *of_number])
    return value


def _any_username(value: str, info: ValidationInfo) -> str:
    """Refuse a name that no account can have. The other rules depend on the account; services check those."""
    return _username(value, info) if len(value) > _LONGEST else value


def _password(value: str, info: ValidationInfo) -> str:
    too_long = ["{field} must have at most 128 characters"] if len(value) > _LONGEST_PASSWORD else []
    _refuse([*too_long, *_rules(info).password(value)])
    return value


def _any_password(value: str, info: ValidationInfo) -> str:
    """Refuse a password that no account can have. The other rules depend on the account; services check those."""
    return _password(value, info) if len(value) > _LONGEST_PASSWORD else value


def _email(value: str) -> str:
    faults = ["{field} must have at most 64 characters"] if len(value) > _LONGEST else []
    kept = kept_email(value)
    _refuse(faults if kept else [*faults, "{field} must be an e-mail address"])
    return kept or ""


def kept_email(text: str) -> str | None:
    """Return an e-mail address in the form in which it is kept, `None` for a malformed one."""
    if len(text) > _LONGEST_ADDRESS:
        return None
    try:
        address = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        return None
    return address.normalized.lower()


def is_phone(text: str) -> bool:
    """Return whether a text is a phone number, in any spelling."""
    return _PHONE.fullmatch(text) is not None


def number_faults(value: str) -> list[str]:
    """Return what is wrong with a phone number that an account is to have."""
    if not is_phone(value):
        return ["{field} must be a phone number: + and 3 to 15 digits"]
    usual = model.e164(value)
    return [] if usual == value else [f"{{field}} must be in the form of E.164: {usual}"]


def _phone(value: str) -> str:
    _refuse(number_faults(value))
    return value


def _known_phone(value: str) -> str:
    if not is_phone(value):
        raise Violations("{field} must be a phone number: + and 3 to 15 digits")
    return value


def _language(value: str) -> str:
    if not language_tags.is_tag(value):
        raise Violations("{field} must be a language tag, such as fr or pt-BR")
    return language_tags.spelt(value)


def _domain(value: str) -> str:
    if not DOMAIN_NAME.fullmatch(value.lower()):
        raise Violations("{field} must be a domain name")
    return value.lower()


def printable(longest: int) -> AfterValidator:
    """Return the rule of texts without control characters."""

    def check(value: str) -> str:
        too_long = [f"{{field}} must have at most {longest} characters"] if len(value) > longest else []
        unprintable = ["{field} must not have control characters"] if _CONTROL.search(value) else []
        _refuse([*too_long, *unprintable])
        return value

    return AfterValidator(check)


def _exactly(length: int, pattern: str, text: str) -> AfterValidator:
    regex = re.compile(pattern)

    def check(value: str) -> str:
        if len(value) != length or not regex.fullmatch(value):
            raise Violations(text)
        return value

    return AfterValidator(check)


def _typed_key(value: str) -> str:
    if len(codes.joined(value)) != codes.KEY_LENGTH:
        raise Violations("{field} must be the 13 letters and digits of the key that was mailed")
    return codes.joined(value)


def matching(pattern: str, text: str) -> AfterValidator:
    """Return the rule of texts that match a pattern as a whole; `text` says what is wrong with others."""
    regex = re.compile(pattern)

    def check(value: str) -> str:
        if not regex.fullmatch(value):
            raise Violations(text)
        return value

    return AfterValidator(check)


def one_of(text: str, names: tuple[str, ...]) -> BeforeValidator:
    """Return the rule of values that are among names; `text` says what is wrong with others."""

    def check(value: Any) -> Any:
        if value not in names:
            raise Violations(text)
        return value

    return BeforeValidator(check)


_FOUR_DIGITS = _exactly(4, "[0-9]+", "{field} must be the 4 digits that were sent")

Text = Annotated[str, Field(strict=True)]
Username = Annotated[Text, AfterValidator(_username), field_texts.USERNAME]
PublicUsername = Annotated[Text, AfterValidator(_public_username), field_texts.PUBLIC_USERNAME]
UsernameOfDomain = Annotated[Text, AfterValidator(_any_username), field_texts.USERNAME_OF_DOMAIN]
ExistingUsername = Annotated[Text, AfterValidator(_any_username), field_texts.EXISTING_USERNAME]
Password = Annotated[Text, AfterValidator(_password), field_texts.PASSWORD]
PasswordOfDomain = Annotated[Text, AfterValidator(_any_password), field_texts.PASSWORD_OF_DOMAIN]
OldPassword = Annotated[Text, Field(description="required if a password is set", examples=["wrong-donkey-battery"])]
Algorithm = Annotated[
    model.Algorithm,
    one_of("{field} must be SHA-256 or MD5", ("SHA-256", "MD5")),
    field_texts.ALGORITHM,
]
Email = Annotated[Text, AfterValidator(_email), field_texts.EMAIL]
Phone = Annotated[Text, AfterValidator(_phone), field_texts.PHONE]
TypedPhone = Annotated[Text, BeforeValidator(typed_number), AfterValidator(_phone), field_texts.PHONE]
ClaimedPhone = Annotated[Text, AfterValidator(_phone), field_texts.CLAIMED_PHONE]
KnownPhone = Annotated[Text, AfterValidator(_known_phone), field_texts.PHONE]
Domain = Annotated[Text, AfterValidator(_domain), field_texts.DOMAIN]
DisplayName = Annotated[
    Text, printable(255), Field(max_length=255, description="shown to people", examples=["Alice Martin"])
]
BlockReason = Annotated[
    Text,
    printable(255),
    Field(max_length=255, description="why it is blocked; administrators see it", examples=["Reported for spam"]),
]
SearchText = Annotated[
    Text,
    printable(128),
    Field(
        max_length=128,
        description="beginnings of words in usernames, addresses, phone numbers and display names",
        examples=["alice"],
    ),
]
ExternalName = Annotated[
    Text,
    matching(
        r"[^\s\x00-\x1f\x7f@:;<>\"]{1,64}", "{field} must be a user name without its domain (at most 64 characters)"
    ),
]
LanguageTag = Annotated[Text, AfterValidator(_language), field_texts.LANGUAGE]
DtmfProtocol = Annotated[
    model.DtmfProtocol,
    one_of("{field} must be sipinfo, sipmessage or rfc2833", tuple(model.DtmfProtocol)),
    field_texts.DTMF_PROTOCOL,
]
Flag = Annotated[bool, BeforeValidator(flag), WithJsonSchema({"type": "boolean", "examples": [True]})]
CreationToken = Annotated[
    Text, _exactly(13, "[A-Za-z0-9]+", "{field} must be a token of 13 letters and digits"), field_texts.CREATION_TOKEN
]
RequestToken = Annotated[
    Text,
    Field(
        description="a validated `account_creation_request_token`; works once, for `account.request_token_hours` (24)",
        examples=["7Ma0JzRtWg3kP"],
    ),
]
ConfirmationKey = Annotated[Text, BeforeValidator(digits), AfterValidator(_typed_key), field_texts.CONFIRMATION_KEY]
CodeChannel = Annotated[
    model.CodeChannel, one_of("{field} must be sms or voice", ("sms", "voice")), field_texts.CODE_CHANNEL
]
Pin = Annotated[Text, BeforeValidator(digits), _FOUR_DIGITS, field_texts.PIN]
TypedPin = Annotated[Text, BeforeValidator(typed_digits), _FOUR_DIGITS, field_texts.PIN]
Expiry = Annotated[
    datetime,
    BeforeValidator(expiry),
    field_texts.EXPIRY,
]
Key = Annotated[
    Text,
    matching("[a-z0-9_-]{1,64}", "{field} must be lower-case letters, digits, - and _ (at most 64)"),
    field_texts.KEY,
]
Code = Annotated[
    Text,
    BeforeValidator(digits),
    matching("[a-z0-9]{1,64}", "{field} must be lower-case letters and digits (at most 64)"),
    field_texts.CODE,
]
Caller = Annotated[
    Text,
    matching(r"(?:sips?|tel):[^\s<>\"\x00-\x1f\x7f]{1,512}", "{field} must be a SIP URI such as sip:bob@example.org"),
    Field(description="SIP URI of the caller, if it is known", examples=["sip:bob@sip.example.org"]),
]
EntryValue = Annotated[
    Text, printable(255), Field(max_length=255, description="a value of the operator's own", examples=["C-1024"])
]
Dictionary = Annotated[dict[str, str], BeforeValidator(dictionary), field_texts.DICTIONARY]
PageNumber = Annotated[
    int,
    BeforeValidator(page_number),
    WithJsonSchema({"type": "integer", "minimum": 1}),
    Field(description="which page, from 1 on; each has 20 accounts", examples=[1]),
]
_OF_PUSH = "{field} has characters that are not allowed, or too many"
PushProvider = Annotated[Text, matching(model.PUSH_PROVIDER, _OF_PUSH), field_texts.of_pattern(model.PUSH_PROVIDER)]
PushParameter = Annotated[Text, matching(model.PUSH_PARAMETER, _OF_PUSH), field_texts.of_pattern(model.PUSH_PARAMETER)]
PushId = Annotated[Text, matching(model.PUSH_ID, _OF_PUSH), field_texts.of_pattern(model.PUSH_ID)]
