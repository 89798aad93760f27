"""Changes of an account by one button: activation, block, sign-out, links, deletion.

The original did some of it by GET. Here, a GET shows what will be done, and a POST does it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from flexiapi.errors import LastAdmin, OwnBlock, RecordNotFound
from flexiapi.model import Account
from flexiapi.panel.admin.account_endpoint import AccountFormEndpoint, Confirmed, ConfirmedEndpoint, Id
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.rendering.catalogues import marked
from flexiapi.service_endpoint import ServiceEndpoint
from flexiapi.services.fields import BlockReason
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Segment
from flexiapi.web.replies import PageReply

Act = Callable[[ServiceEndpoint, Account], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class AccountAction:
    """A change by one button: English texts, the note about it, the tab that shows the result, and the change."""

    title: str
    lead: tuple[str, ...]
    submit: str
    done: Done
    act: Act
    tab: str = ""
    is_dangerous: bool = False


ACTIONS: Mapping[str, AccountAction] = {
    "activate": AccountAction(
        marked("Activate the account"),
        (marked("It can sign in and register at the SIP server from then on. A number that is its name is proven."),),
        marked("Activate"),
        Done.ACCOUNT_ACTIVATED,
        lambda on, account: on.accounts.administration.activate(account.id, on.actor),
    ),
    "deactivate": AccountAction(
        marked("Deactivate the account"),
        (
            marked("It is signed out everywhere and can no longer register at the SIP server."),
            marked("Its API key, pending codes and provisioning link end."),
        ),
        marked("Deactivate"),
        Done.ACCOUNT_DEACTIVATED,
        lambda on, account: on.accounts.administration.deactivate(account.id, on.actor),
        is_dangerous=True,
    ),
    "unblock": AccountAction(
        marked("End the block of the account"),
        (marked("It may use everything again that it had before."),),
        marked("End the block"),
        Done.ACCOUNT_UNBLOCKED,
        lambda on, account: on.accounts.administration.unblock(account.id, on.actor),
    ),
    "unlock": AccountAction(
        marked("Unlock the account"),
        (marked("Wrong passwords, wrong codes and messages that were counted for it are forgotten."),),
        marked("Unlock"),
        Done.ACCOUNT_UNLOCKED,
        lambda on, account: on.accounts.diagnosis.unlock(account, on.actor),
        tab="activity",
    ),
    "sign-out": AccountAction(
        marked("Sign the account out everywhere"),
        (
            marked("Its sessions and its API key end, and programs have to sign in again."),
            marked("The password stays, so phones register again by themselves. Deactivate or block it against that."),
        ),
        marked("Sign out everywhere"),
        Done.ACCOUNT_SIGNED_OUT,
        lambda on, account: on.accounts.sign_outs.everywhere(account.id, on.actor),
        tab="activity",
        is_dangerous=True,
    ),
    "provision": AccountAction(
        marked("Make a provisioning link"),
        (
            marked("It sets up one phone, once, and activates the account."),
            marked("A link that was made before ends."),
        ),
        marked("Make a new link"),
        Done.LINK_MADE,
        lambda on, account: on.phones.provisioning.new_token(account, on.actor, by="admin"),
        tab="provisioning",
    ),
    "provision-mail": AccountAction(
        marked("Mail a provisioning link"),
        (
            marked("A new link is mailed to the account. It sets up one phone, once, and proves the address."),
            marked("A link that was made before ends."),
        ),
        marked("Mail a new link"),
        Done.LINK_MAILED,
        lambda on, account: on.phones.setup_mails.send(account, on.actor),
        tab="provisioning",
    ),
    "reset-password": AccountAction(
        marked("Mail a link for a new password"),
        (marked("The owner of the account chooses a new password on the page of the link. It works once."),),
        marked("Mail the link"),
        Done.RESET_MAILED,
        lambda on, account: on.codes.reset_links.send(account, on.actor),
    ),
    "external-account": AccountAction(
        marked("Attach an external account"),
        (marked("The account gets the next free external account. That cannot be undone."),),
        marked("Attach"),
        Done.EXTERNAL_ATTACHED,
        lambda on, account: on.accounts.external_accounts.attach(account, on.actor),
    ),
}


Action = Annotated[str, Segment("|".join(ACTIONS), "activate", "what to do")]


class AccountActionEndpoint(ConfirmedEndpoint):
    """A change of an account by one button."""

    path = "/admin/accounts/{id}/{action}"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id, action: Action) -> PageReply:
        """Show what will be done."""
        del id, action
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def post(self, id: Id, action: Action, body: Confirmed) -> PageReply:
        """Do it."""
        del id, body
        account, wanted = await self.account(), ACTIONS[action]
        await self.check_may_change(account)
        await wanted.act(self, account)
        return self.see_other(self.place_of(account, wanted.tab), wanted.done)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        wanted = ACTIONS[self.arguments["action"]]
        return self.confirmation(
            await self.account(),
            filled,
            title=wanted.title,
            lead=wanted.lead,
            submit=wanted.submit,
            tab=wanted.tab,
            is_dangerous=wanted.is_dangerous,
        )


class BlockForm(Form):
    """The reason of a block."""

    submit = marked("Block")
    is_dangerous = True

    reason: Annotated[
        BlockReason | None,
        Input(marked("Reason"), hint=marked("Administrators see it; the person does not.")),
    ] = None


class AccountBlockingEndpoint(AccountFormEndpoint):
    """The block of an account."""

    path = "/admin/accounts/{id}/block"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id) -> PageReply:
        """Show what will be blocked."""
        del id
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound, LastAdmin, OwnBlock), hidden=True)
    async def post(self, id: Id, body: BlockForm) -> PageReply:
        """Block the account."""
        account = await self.account()
        await self.check_may_change(account)
        await self.accounts.administration.block(id, self.actor, body.reason)
        return self.see_other(self.place_of(account), Done.ACCOUNT_BLOCKED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        account = await self.account()
        known = {"reason": account.block_reason}
        form = self.form(BlockForm, filled, action=self.place_of(account, "block"), initial=known)
        intro = (marked("It keeps everything that it has, and may use nothing until the block ends."),)
        return self.form_page(account, form, title=marked("Block the account"), intro=intro)


class AccountDeletionEndpoint(ConfirmedEndpoint):
    """The deletion of an account."""

    path = "/admin/accounts/{id}/delete"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id) -> PageReply:
        """Show what will be deleted."""
        del id
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound, LastAdmin), hidden=True)
    async def post(self, id: Id, body: Confirmed) -> PageReply:
        """Delete the account."""
        del id, body
        account = await self.account()
        await self.check_may_change(account)
        await self.accounts.removal.remove(account, self.actor)
        return self.see_other("/admin/accounts", Done.ACCOUNT_DELETED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        return self.confirmation(
            await self.account(),
            filled,
            title=marked("Delete the account"),
            lead=(
                marked("It is removed with its contacts, actions, sessions and links. That cannot be undone."),
                marked("Its name cannot be registered again for a while."),
            ),
            submit=marked("Delete the account"),
            is_dangerous=True,
        )
