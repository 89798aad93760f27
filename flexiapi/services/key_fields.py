"""Field types of named API keys and invitations."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from flexiapi import model
from flexiapi.services import field_texts
from flexiapi.services.conversions import key_scopes
from flexiapi.services.fields import Text, printable

KeyName = Annotated[
    Text,
    printable(64),
    Field(max_length=64, description="tells people what has the key; unique", examples=["Flexisip in Paris"]),
]
InvitationName = Annotated[
    Text, printable(64), Field(max_length=64, description="whom it is for", examples=["Building A"])
]
KeyScopes = Annotated[tuple[model.KeyScope, ...], BeforeValidator(key_scopes), field_texts.KEY_SCOPES]
Days = Annotated[int, Field(ge=1, le=3650)]
RecordIds = Annotated[tuple[Annotated[int, Field(ge=1, le=2**53)], ...], Field(max_length=100)]
