"""The account of an account on another SIP server, for Flexisip's bridge."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, TypeAdapter

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import Id
from flexiapi.errors import RecordNotFound
from flexiapi.model import Algorithm, BridgedAccount, BridgeProtocol
from flexiapi.services.accounts import AccountBusy, BridgeTaken, BridgeValues
from flexiapi.services.bridge_fields import RemoteHost, RemotePassword, RemoteProtocol, RemoteRealm, RemoteUsername
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params
from flexiapi.web.replies import SavedJson


class BridgeParameters(Params):
    """An account on another SIP server. What is left out is unset, but for the password."""

    username: RemoteUsername
    domain: RemoteHost
    protocol: RemoteProtocol
    password: RemotePassword | None = None
    realm: RemoteRealm | None = None
    registrar: RemoteHost | None = None
    outbound_proxy: RemoteHost | None = None


@dataclass(kw_only=True)
class BridgedAccountView:
    """An account on another SIP server, without its password."""

    id: Annotated[int, Field(description="another one after another username or domain", examples=[3])]
    account_id: Annotated[int, Field(examples=[12])]
    username: Annotated[str, Field(examples=["alice4711"])]
    domain: Annotated[str, Field(examples=["sip.example.com"])]
    protocol: BridgeProtocol
    algorithm: Algorithm
    realm: str | None
    registrar: str | None
    outbound_proxy: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, account_id: int, bridged: BridgedAccount) -> Self:
        """Return the view of a bridged account."""
        return cls(
            id=bridged.number,
            account_id=account_id,
            username=bridged.username,
            domain=bridged.domain,
            protocol=bridged.protocol,
            algorithm=Algorithm.MD5,
            realm=bridged.realm,
            registrar=bridged.registrar,
            outbound_proxy=bridged.outbound_proxy,
            created_at=bridged.created_at,
            updated_at=bridged.updated_at,
        )


_VIEW = TypeAdapter(BridgedAccountView)


class BridgedAccountEndpoint(ApiEndpoint):
    """The account of an account on another SIP server."""

    path = "/api/accounts/{id}/external"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def get(self, id: Id) -> BridgedAccountView:
        """Get the account of an account on another SIP server, which Flexisip's bridge calls through."""
        return BridgedAccountView.of(id, await self.accounts.bridges.of(id, self.space))

    @endpoint(
        Access.ADMIN,
        raises=(RecordNotFound, BridgeTaken, AccountBusy),
        checks=lambda exchange, values: exchange.accounts.bridges.faults(
            values, exchange.arguments["id"], exchange.space
        ),
    )
    async def post(self, id: Id, body: BridgeParameters) -> Annotated[SavedJson, BridgedAccountView]:
        """Give an account an account on another SIP server (`201`), or change it (`200`).

        `password` is required at first, and whenever `username`, `domain` or `realm` changes. `realm`, `registrar`
        and `outbound_proxy` are for values other than `domain`. No two accounts have the same username and domain.
        Flexisip's bridge is told as soon as it can read the change; it has nothing of a blocked or inactive account.
        """
        bridged, is_new = await self.accounts.bridges.save(id, BridgeValues(**dict(body)), self.actor)
        return SavedJson(_VIEW.dump_json(BridgedAccountView.of(id, bridged)), status=201 if is_new else 200)

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def delete(self, id: Id) -> None:
        """Remove the account of an account on another SIP server."""
        await self.accounts.bridges.remove(id, self.actor)
