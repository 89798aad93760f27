"""Named API keys with scopes, for servers and programs.

Beside the one key of an account, which may do all that the account may, there are keys with a name. They do what their
scopes say and nothing else, have no account, and are not over after an hour without use.
"""

from typing import Annotated

from pydantic import Field

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import KeyId
from flexiapi.api.views.api_keys import NamedKeyView, NewKeyView
from flexiapi.errors import NamedKeysFull, RecordNotFound
from flexiapi.services.key_fields import Days, KeyName, KeyScopes
from flexiapi.services.sign_in import NewNamedKey
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params


class NamedKeyCreation(Params):
    """The values of a named API key."""

    name: KeyName
    scopes: KeyScopes
    expires_days: (
        Annotated[Days, Field(description="days after which it is over; never when not given", examples=[365])] | None
    ) = None
    idle_days: (
        Annotated[
            Days,
            Field(description="days without use after which it is over; any number when not given", examples=[90]),
        ]
        | None
    ) = None


class NamedKeysEndpoint(ApiEndpoint):
    """The named API keys."""

    path = "/api/api_keys"

    @endpoint(Access.ADMIN)
    async def get(self) -> list[NamedKeyView]:
        """Show the named API keys, without the keys themselves.

        A key that is over stays in the list for 30 days, unless it is revoked.
        """
        return [NamedKeyView.of(listed) for listed in await self.sign_in.named_keys.all(self.space)]

    @endpoint(
        Access.ADMIN,
        status=201,
        secret=True,
        raises=(NamedKeysFull,),
        checks=lambda exchange, values: exchange.sign_in.named_keys.faults(values, exchange.space),
    )
    async def post(self, body: NamedKeyCreation) -> NewKeyView:
        """Make a named API key, which is shown only in this answer.

        It works only while the account that made it is an active administrator. A key that has to outlive that, such as
        the one of a SIP server, is made by the command `flexiapi api-keys create`. There can be 100 keys.
        """
        new = NewNamedKey(body.name, body.scopes, body.expires_days, body.idle_days)
        key, listed = await self.sign_in.named_keys.make(new, self.actor)
        return NewKeyView.with_key(listed, key)


class NamedKeyEndpoint(ApiEndpoint):
    """A named API key."""

    path = "/api/api_keys/{key_id}"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def delete(self, key_id: KeyId) -> None:
        """Revoke a named API key, which ends at once."""
        await self.sign_in.named_keys.revoke(key_id, self.actor)
