"""Views of messages."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(kw_only=True)
class SentMessage:
    """A message that was handed to SIP."""

    id: Annotated[str, Field(examples=["z2kXuW8~dR"])]
