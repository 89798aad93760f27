"""Path parameters: the forms of their segments, and what they mean."""

from typing import Annotated

from flexiapi.errors import RecordNotFound, ValidationFailed, Violations
from flexiapi.services.calls import party_of
from flexiapi.services.fields import is_phone, kept_email
from flexiapi.sip_address import user_and_domain
from flexiapi.web.operation import Segment

Id = Annotated[int, Segment("[0-9]{1,18}", "12", "an id")]
TypeId = Annotated[int, Segment("[0-9]{1,18}", "1", "a type's id")]
InvitationId = Annotated[int, Segment("[0-9]{1,18}", "3", "an invitation's id")]
KeyId = Annotated[int, Segment("[0-9]{1,18}", "3", "a key's id")]
ActionId = Annotated[int, Segment("[0-9]{1,18}", "5", "an action's id")]
Sip = Annotated[str, Segment(".{1,255}", "alice.martin@sip.example.org", "a SIP address without `sip:`")]
PhoneNumber = Annotated[str, Segment(".{1,255}", "+33612345678", "a phone number")]
EmailAddress = Annotated[str, Segment(".{1,255}", "alice@example.org", "an e-mail address")]
ForwardingId = Annotated[int, Segment("[0-9]{1,18}", "1", "the id of a rule of call forwarding")]
SipDomain = Annotated[str, Segment(".{1,255}", "sip.example.org", "a SIP domain")]
Token = Annotated[str, Segment(".+", "7Ma0JzRtWg3kP", "a token")]
AuthToken = Annotated[str, Segment(".+", "mI5wq3VmRtYc8nXe2LbZs0aTjHd7kPuG", "an auth token")]
RecoverKey = Annotated[str, Segment(".+", "0427", "the PIN code that was sent")]
EntryKey = Annotated[str, Segment("[^/]{1,255}", "customer", "a key of the dictionary")]
CountryCode = Annotated[str, Segment("[A-Z]{2}", "FR", "a country by its two letters")]
CardUid = Annotated[str, Segment(".{1,255}", "urn:uuid:4f2e1a9c-1111-4222-8333-444455556666", "the UID of a vCard")]
Uuid = Annotated[str, Segment(".{1,255}", "urn:uuid:4f2e1a9c-1111-4222-8333-444455556666", "a device's uuid")]

_RANDOM = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
VoicemailId = Annotated[str, Segment(_RANDOM, "0b8e2f4c-51d6-93a7-c2e8-6f7a1d3b5c90", "a voicemail's id")]
FileSecret = Annotated[str, Segment(_RANDOM, "9d41f0a6-7c3b-e825-1f6d-a0b4c8e2d735", "the secret of a file")]
FileName = Annotated[str, Segment("[a-z0-9.-]{1,64}", "voicemail-20261130-174210.wav", "the name of a file")]
ReportId = Annotated[str, Segment(".{1,128}", "5f2c9e0a41d7", "the SIP server's name of a record")]
PartyAddress = Annotated[str, Segment(".{1,256}", "bob@sip.example.org", "an address without `sip:`")]
DeviceKey = Annotated[str, Segment(".{1,512}", "urn:uuid:4f2e1a9c-1111-4222-8333-444455556666", "the key of a device")]


def required_address(sip: str) -> tuple[str, str]:
    """Return user name and domain of a `{sip}` parameter. Raises `RecordNotFound` for a malformed one."""
    parts = user_and_domain(sip)
    if parts is None:
        raise RecordNotFound
    return parts


def required_phone(phone: str) -> str:
    """Return a `{phone}` parameter. Raises `ValidationFailed` for a malformed one."""
    if not is_phone(phone):
        raise ValidationFailed({"phone": ["phone must be a phone number: + and 3 to 15 digits"]})
    return phone


def as_kept(email: str) -> str:
    """Return an `{email}` parameter in the form in which addresses are kept."""
    return kept_email(email) or email.lower()


def required_party(address: str) -> str:
    """Return a `{party}` parameter as it is kept. Raises `ValidationFailed` for a malformed one."""
    try:
        return party_of(address)
    except Violations as error:
        raise ValidationFailed({"party": [text.format(field="party") for text in error.texts]}) from error
