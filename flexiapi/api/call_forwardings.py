"""Call forwarding, of one's own account and as administrators set it."""

from typing import Annotated

from pydantic import Field

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import ForwardingId, Id
from flexiapi.api.views.call_forwardings import CallForwardingView
from flexiapi.errors import RecordNotFound
from flexiapi.model import KeyScope
from flexiapi.services.accounts import AccountBusy
from flexiapi.services.call_fields import ContactId, ForwardingKind, ForwardingTarget, SipUri
from flexiapi.services.calls import ForwardingValues
from flexiapi.services.fields import Flag
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params

_FAILURES = (RecordNotFound, AccountBusy)

Enabled = Annotated[Flag, Field(description="whether calls follow the rule")]


class CallForwardingParameters(Params):
    """The values of a rule."""

    type: ForwardingKind
    forward_to: ForwardingTarget
    sip_uri: SipUri | None = None
    contact_id: ContactId | None = None
    enabled: Enabled

    @property
    def values(self) -> ForwardingValues:
        """The values, as the rule has them."""
        return ForwardingValues(self.type, self.forward_to, self.enabled, self.sip_uri, self.contact_id)


class CallForwardingReplacement(Params):
    """The values that replace those of a rule."""

    type: ForwardingKind | None = None
    forward_to: ForwardingTarget
    sip_uri: SipUri | None = None
    contact_id: ContactId | None = None
    enabled: Enabled

    @property
    def values(self) -> ForwardingValues:
        """The values, as the rule has them."""
        return ForwardingValues(self.type, self.forward_to, self.enabled, self.sip_uri, self.contact_id)


class MyCallForwardingsEndpoint(ApiEndpoint):
    """The call forwarding of the current user."""

    path = "/api/accounts/me/call_forwardings"

    @endpoint(Access.USER)
    async def get(self) -> list[CallForwardingView]:
        """Get the rules of call forwarding."""
        return [CallForwardingView.of(shown) for shown in await self.calls.forwarding.of(self.me)]

    @endpoint(Access.USER, status=201, raises=_FAILURES)
    async def post(self, body: CallForwardingParameters) -> CallForwardingView:
        """Add a rule of call forwarding: one for each `type`.

        Rules that lead calls back to the account, or over more than 10 accounts, are refused. If its contact is removed
        from the contacts later, a rule is switched off. `warning` says what the SIP server cannot do with a rule yet.
        """
        return CallForwardingView.of(await self.calls.forwarding.add(self.me, body.values, self.actor))


class MyCallForwardingEndpoint(ApiEndpoint):
    """A rule of call forwarding of the current user."""

    path = "/api/accounts/me/call_forwardings/{forwarding_id}"

    @endpoint(Access.USER, raises=(RecordNotFound,))
    async def get(self, forwarding_id: ForwardingId) -> CallForwardingView:
        """Get a rule of call forwarding."""
        return CallForwardingView.of(await self.calls.forwarding.one_of(self.me, forwarding_id))

    @endpoint(Access.USER, raises=_FAILURES)
    async def put(self, forwarding_id: ForwardingId, body: CallForwardingReplacement) -> CallForwardingView:
        """Change a rule of call forwarding as a whole. Its `type` stays."""
        shown = await self.calls.forwarding.replace(self.me, forwarding_id, body.values, self.actor)
        return CallForwardingView.of(shown)

    @endpoint(Access.USER, raises=_FAILURES)
    async def delete(self, forwarding_id: ForwardingId) -> None:
        """Delete a rule of call forwarding."""
        await self.calls.forwarding.remove(self.me, forwarding_id, self.actor)


class CallForwardingsEndpoint(ApiEndpoint):
    """The call forwarding of an account."""

    path = "/api/accounts/{id}/call_forwardings"

    @endpoint(Access.ADMIN, scope=KeyScope.ACCOUNTS_READ, raises=(RecordNotFound,))
    async def get(self, id: Id) -> list[CallForwardingView]:
        """Get the rules of call forwarding of an account."""
        account = await self.accounts.directory.for_admin(id, self.space)
        return [CallForwardingView.of(shown) for shown in await self.calls.forwarding.of(account)]

    @endpoint(Access.ADMIN, status=201, raises=_FAILURES)
    async def post(self, id: Id, body: CallForwardingParameters) -> CallForwardingView:
        """Add a rule of call forwarding to an account: one for each `type`."""
        account = await self.accounts.directory.for_admin(id, self.space)
        return CallForwardingView.of(await self.calls.forwarding.add(account, body.values, self.actor))


class CallForwardingEndpoint(ApiEndpoint):
    """A rule of call forwarding of an account."""

    path = "/api/accounts/{id}/call_forwardings/{forwarding_id}"

    @endpoint(Access.ADMIN, scope=KeyScope.ACCOUNTS_READ, raises=(RecordNotFound,))
    async def get(self, id: Id, forwarding_id: ForwardingId) -> CallForwardingView:
        """Get a rule of call forwarding of an account."""
        account = await self.accounts.directory.for_admin(id, self.space)
        return CallForwardingView.of(await self.calls.forwarding.one_of(account, forwarding_id))

    @endpoint(Access.ADMIN, raises=_FAILURES)
    async def put(self, id: Id, forwarding_id: ForwardingId, body: CallForwardingReplacement) -> CallForwardingView:
        """Change a rule of call forwarding of an account as a whole. Its `type` stays."""
        account = await self.accounts.directory.for_admin(id, self.space)
        shown = await self.calls.forwarding.replace(account, forwarding_id, body.values, self.actor)
        return CallForwardingView.of(shown)

    @endpoint(Access.ADMIN, raises=_FAILURES)
    async def delete(self, id: Id, forwarding_id: ForwardingId) -> None:
        """Delete a rule of call forwarding of an account."""
        account = await self.accounts.directory.for_admin(id, self.space)
        await self.calls.forwarding.remove(account, forwarding_id, self.actor)
