"""Value types of views, and the data that views of accounts need beside the account."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field, PlainSerializer, WithJsonSchema

from flexiapi.model import Types

Moment = Annotated[
    datetime,
    PlainSerializer(lambda moment: f"{moment.isoformat(timespec='microseconds')[:26]}Z", return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2023-07-04T14:35:21.000000Z"]}),
]
PlainMoment = Annotated[
    datetime,
    PlainSerializer(lambda moment: moment.replace(tzinfo=None).isoformat(" ", "seconds"), return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2040-12-12 12:12:12"]}),
]
AccountId = Annotated[int, Field(examples=[12])]
Activated = Annotated[bool, Field(examples=[True])]
NotActivated = Annotated[bool, Field(examples=[False])]


@dataclass(frozen=True, slots=True)
class ViewData:
    """The realm of the installation (`None` when each domain is its own), and the account types, by id."""

    realm: str | None
    types: Types
