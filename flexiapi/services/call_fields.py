"""Field types of bodies and forms about calls: syntax, normal form and examples."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from flexiapi import model, plugin
from flexiapi.services.conversions import forwarding_kind, record_id, sip_uri, typed_sip_uri
from flexiapi.services.fields import Text

_EXAMPLE = "sip:bob@sip.example.org"

ForwardingKind = Annotated[
    model.ForwardingKind,
    BeforeValidator(forwarding_kind),
    WithJsonSchema(
        {
            "type": "string",
            "description": "the calls: `always`, `no_answer` (`away` is understood too) or `busy`; one rule of each, "
            "and `always` is not enabled together with another",
            "examples": ["no_answer"],
            "enum": ["always", "no_answer", "busy"],
        }
    ),
]
ForwardingTarget = Annotated[
    model.ForwardingTarget,
    WithJsonSchema(
        {
            "type": "string",
            "description": "where they go: to `sip_uri`, to the `contact` with the id `contact_id`, or to `voicemail`",
            "examples": ["sip_uri"],
            "enum": ["sip_uri", "contact", "voicemail"],
        }
    ),
]
SipUri = Annotated[
    Text,
    AfterValidator(sip_uri),
    Field(
        description="a SIP URI with its scheme, `sip` or `sips`, and without parameters; required if `forward_to` is "
        "`sip_uri`",
        examples=[_EXAMPLE],
        json_schema_extra={"minLength": 8, "maxLength": 255, "pattern": "^[sS][iI][pP][sS]?:[^@ ]+@[^@ ]+$"},
    ),
]
TypedSipUri = Annotated[SipUri, BeforeValidator(typed_sip_uri)]
ContactId = Annotated[
    int,
    BeforeValidator(record_id),
    WithJsonSchema(
        {
            "type": "integer",
            "minimum": 0,
            "description": "id of a contact of the account, direct or on a list; required if `forward_to` is `contact`",
            "examples": [13],
        }
    ),
]
PushPurpose = Annotated[
    plugin.PushPurpose,
    WithJsonSchema(
        {
            "type": "string",
            "description": "why the phone is woken: a `call`, a `message`, or nothing that it shows (`background`)",
            "examples": ["call"],
            "enum": ["background", "message", "call"],
        }
    ),
]
PushCallId = Annotated[
    Text,
    Field(
        pattern="^[!-~]{1,255}$",
        description="the Call-ID of the SIP request, which the app asks for",
        examples=["0PqT~VdWxy@192.0.2.7"],
    ),
]
