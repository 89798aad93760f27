"""Services beside the SIP server that phones of the current user may use."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.services.phones import NoTurnService, TurnForActivated
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access


@dataclass(kw_only=True)
class TurnView:
    """Credentials of the TURN service, which end after `ttl` seconds."""

    username: Annotated[str, Field(examples=["1796123456:Zk3fTq0aPmW8xYc1"])]
    password: Annotated[str, Field(examples=["m2zWlCAEnZJ3q2Qv0cMbkzYhq0E="])]
    ttl: Annotated[int, Field(examples=[86400])]
    uris: Annotated[list[str], Field(examples=[["turn:turn.example.org", "turns:turn.example.org?transport=tcp"]])]


class MyTurnEndpoint(ApiEndpoint):
    """The TURN service for the phones of the current user."""

    path = "/api/accounts/me/services/turn"

    @endpoint(Access.USER, raises=(NoTurnService, TurnForActivated), secret=True)
    async def get(self) -> TurnView:
        """Get credentials of the TURN service, for an activated account.

        They are made anew by each call, and follow the TURN REST API (draft-uberti-behave-turn-rest).
        """
        made = self.phones.turn.credentials(self.me)
        return TurnView(username=made.username, password=made.password, ttl=made.seconds, uris=list(made.uris))
