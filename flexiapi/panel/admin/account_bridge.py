"""The account of an account on another SIP server."""

from typing import Annotated

from flexiapi.errors import RecordNotFound
from flexiapi.model import BridgeProtocol
from flexiapi.panel.admin.account_endpoint import AccountFormEndpoint, Confirmed, ConfirmedEndpoint, Id
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.forms import Choice
from flexiapi.services.accounts import AccountBusy, BridgeTaken, BridgeValues
from flexiapi.services.bridge_fields import RemoteHost, RemotePassword, RemoteProtocol, RemoteRealm, RemoteUsername
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply

_PROTOCOLS = tuple(Choice(protocol.value, protocol.value) for protocol in BridgeProtocol)
_NAMES = ("username", "domain", "protocol", "realm", "registrar", "outbound_proxy")


class BridgeForm(Form):
    """An account on another SIP server."""

    submit = marked("Save the account on the other server")

    username: Annotated[RemoteUsername, Input(marked("User name there"))]
    domain: Annotated[RemoteHost, Input(marked("Domain there"))]
    password: Annotated[
        RemotePassword | None,
        Input(
            marked("Password there"),
            kind="password",
            hint=marked("It is never shown. Leave it empty to keep it, unless user name, domain or realm changes"),
            autocomplete="new-password",
        ),
    ] = None
    protocol: Annotated[RemoteProtocol, Input(marked("Protocol"), kind="select", choices=_PROTOCOLS)]
    realm: Annotated[RemoteRealm | None, Input(marked("Realm"), hint=marked("Only if it is not the domain"))] = None
    registrar: Annotated[RemoteHost | None, Input(marked("Registrar"), hint=marked("Only if it is not the domain"))] = (
        None
    )
    outbound_proxy: Annotated[
        RemoteHost | None, Input(marked("Outbound proxy"), hint=marked("Only if it is not the domain"))
    ] = None


class BridgeEndpoint(AccountFormEndpoint):
    """The form of the account on another server."""

    path = "/admin/accounts/{id}/bridge/edit"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id) -> PageReply:
        """Show the form."""
        del id
        return await self.show()

    @endpoint(
        Access.ADMIN,
        raises=(RecordNotFound, BridgeTaken, AccountBusy),
        hidden=True,
        checks=lambda exchange, values: exchange.accounts.bridges.faults(
            values, exchange.arguments["id"], exchange.space
        ),
    )
    async def post(self, id: Id, body: BridgeForm) -> PageReply:
        """Save it."""
        values = BridgeValues(**{name: getattr(body, name) for name in (*_NAMES, "password")})
        await self.accounts.bridges.save(id, values, self.actor)
        return self.see_other(f"/admin/accounts/{id}", Done.BRIDGE_SAVED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        account = await self.account()
        bridged = account.bridged_account
        known = {} if bridged is None else {name: getattr(bridged, name) for name in _NAMES}
        form = self.form(BridgeForm, filled, action=self.place_of(account, "bridge/edit"), initial=known)
        intro = (marked("The bridge of the SIP server calls through this account, and takes its calls."),)
        return self.form_page(account, form, title=marked("Account on another server"), intro=intro)


class BridgeRemovalEndpoint(ConfirmedEndpoint):
    """The removal of the account on another server."""

    path = "/admin/accounts/{id}/bridge/delete"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id) -> PageReply:
        """Show what will be removed."""
        del id
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def post(self, id: Id, body: Confirmed) -> PageReply:
        """Remove it."""
        del body
        await self.accounts.bridges.remove(id, self.actor)
        return self.see_other(f"/admin/accounts/{id}", Done.BRIDGE_REMOVED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        account = await self.account()
        bridged = await self.accounts.bridges.of(account.id, self.space)
        return self.confirmation(
            account,
            filled,
            title=marked("Remove the account on the other server"),
            lead=(marked("The bridge no longer calls through it. The account there stays as it is."),),
            submit=marked("Remove"),
            subject=f"{bridged.username}@{bridged.domain}",
        )
