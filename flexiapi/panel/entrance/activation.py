"""The code of a new account: entered on its page or by the link of its message, sent again, or given up."""

from dataclasses import replace
from typing import Annotated
from urllib.parse import quote

from flexiapi.errors import ActivationExpired, CodeRefused, DeliveryFailed, TooManyRequests
from flexiapi.model import Account, SignInMethod
from flexiapi.panel.done import Done
from flexiapi.panel.entrance.fields import Token, TypedCode
from flexiapi.panel.forms import EMPTY, Filled, Form, PublicForm
from flexiapi.panel.panel_endpoint import FormEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.entrance import AccountFormPage, CodePage
from flexiapi.rendering.panel.frame import FormLink
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard, Segment
from flexiapi.web.replies import PageReply

Address = Annotated[
    str, Segment(".{1,255}", "alice.martin@sip.example.org", "a SIP address without `sip:`, or a user name")
]


class ActivationForm(TypedCode):
    """The code of a new account."""

    submit = marked("Confirm")


class AnotherCodeForm(Form):
    """The button for another code."""

    submit = marked("Send another code")


class GiveUpForm(Form):
    """The button that gives a new account up."""

    submit = marked("Begin again")


class ActivationLinkForm(PublicForm):
    """The button on the page of a link."""

    submit = marked("Confirm the account")


class WaitingEndpoint(FormEndpoint):
    """The base class of the endpoints of an account that waits for its code."""

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page of the code. Errors of the other forms stand over it too."""
        account, pending = self.me, self.me.confirmation
        is_mailed = pending is not None and pending.key is not None
        form = self.form(ActivationForm, filled, action="/activate")
        # A mailed code has letters: no keyboard of digits for it.
        entry = replace(form["code"], is_required=True, kind="key" if is_mailed else "code")
        left = None if pending is None else await self.codes.activation.tries_left(account, self.actor)
        page = CodePage(
            self.frame(marked("Confirm your account")),
            account.address,
            (account.email if is_mailed else account.texted_number) or account.email or "",
            replace(form, fields=[entry]),
            self.form(AnotherCodeForm, action="/activate/resend"),
            self.form(GiveUpForm, action="/activate/cancel") if account.unconfirmed else None,
            left,
            await self.codes.resending.seconds_left(account),
        )
        return self.panel_page(page)

    async def signed_in_fully(self, account: Account) -> PageReply:
        """Begin a session without limits in place of the present one, and go on."""
        before = self.cookie("flexiapi")
        begun = await self.sign_in.sessions.begin(account, self.actor, SignInMethod.CODE, in_place_of=before)
        return self.see_other("/dashboard", Done.ACCOUNT_CONFIRMED, cookies=[self.session_cookie(begun)])


class ActivationEndpoint(WaitingEndpoint):
    """The page of an account that waits for its code."""

    path = "/activate"

    @endpoint(Access.USER, hidden=True, limited=True)
    async def get(self) -> PageReply:
        """Show the form for the code, or go on where none is awaited."""
        if not self.signed_in.is_limited:
            return self.see_other("/dashboard")
        return await self.show()

    @endpoint(Access.USER, hidden=True, limited=True, raises=(CodeRefused, ActivationExpired, TooManyRequests))
    async def post(self, body: ActivationForm) -> PageReply:
        """Activate the account by its code."""
        return await self.signed_in_fully(await self.codes.activation.activate_own(self.me, body.typed, self.actor))


class AnotherCodeEndpoint(WaitingEndpoint):
    """Another code."""

    path = "/activate/resend"

    @endpoint(
        Access.USER,
        hidden=True,
        limited=True,
        raises=(ActivationExpired, DeliveryFailed, TooManyRequests),
        guard=Guard(limit="messages"),
    )
    async def post(self, body: AnotherCodeForm) -> PageReply:
        """Send another code, at most one a minute."""
        del body
        await self.codes.resending.resend_own(self.me, self.actor)
        return self.see_other("/activate", Done.CODE_SENT)


class GiveUpEndpoint(WaitingEndpoint):
    """The end of a sign-up whose address or number was wrong."""

    path = "/activate/cancel"

    @endpoint(Access.USER, hidden=True, limited=True)
    async def post(self, body: GiveUpForm) -> PageReply:
        """Remove the new account, and sign out."""
        del body
        await self.accounts.web_sign_up.give_up(self.me, self.actor)
        await self.sign_in.sessions.end(self.signed_in.session)
        done = Done.SIGN_UP_GIVEN_UP if self.me.unconfirmed else Done.SIGNED_OUT
        return self.see_other("/login", done, cookies=[self.new_cookie("flexiapi", "", 0)])


class ActivationLinkEndpoint(WaitingEndpoint):
    """The page of the link in a mail or SMS with a code."""

    path = "/activate/{sip}/{token}"

    @endpoint(Access.PUBLIC, hidden=True, secret=True)
    async def get(self, sip: Address, token: Token) -> PageReply:
        """Show the button that confirms the account. Scanners and previews follow links, so this changes nothing."""
        del sip, token
        return await self.show()

    @endpoint(
        Access.PUBLIC,
        hidden=True,
        secret=True,
        raises=(CodeRefused, ActivationExpired, TooManyRequests),
        guard=Guard(guess=True),
    )
    async def post(self, sip: Address, token: Token, body: ActivationLinkForm) -> PageReply:
        """Activate the account by the code of the message. Only the browser that signed up is signed in by it."""
        del body
        visitor = await self.visitor()
        account = await self.codes.web_activation.confirm(sip, token, self.actor)
        if visitor is not None and visitor.account.id == account.id:
            return await self.signed_in_fully(account)
        return self.see_other("/login", Done.ACCOUNT_CONFIRMED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        sip, token = self.arguments["sip"], self.arguments["token"]
        form = self.form(ActivationLinkForm, filled, action=f"/activate/{quote(sip, safe='')}/{quote(token, safe='')}")
        lead = [
            marked("The code of the message is in this link. Confirm that the account is yours."),
            marked("If it is not, close this page: the account of a stranger would get your address or number."),
        ]
        address = self.codes.web_activation.address(sip, self.space)
        # Where another code is sent, after the sign-in if need be.
        links = [] if filled is EMPTY else [FormLink("/activate", marked("Sign in to ask for another code"))]
        return self.panel_page(AccountFormPage(self.frame(marked("Confirm your account")), address, form, lead, links))
