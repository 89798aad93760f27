"""Views of SIP domains."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(kw_only=True)
class SipDomainView:
    """A SIP domain that the server has accounts for."""

    domain: Annotated[str, Field(examples=["sip.example.org"])]
