"""Sign-in with a password, sign-out, and the proof that it is still the same person."""

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from flexiapi.model import SignInMethod
from flexiapi.panel import places
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input, PublicForm
from flexiapi.panel.panel_endpoint import FormEndpoint, SignOut
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.entrance import ConfirmPage, LoginPage
from flexiapi.rendering.panel.frame import FormPage
from flexiapi.services.codes import RecoveryRequest
from flexiapi.services.fields import Flag, Text
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params
from flexiapi.web.replies import PageReply


class SignInForm(PublicForm):
    """Sign-in with a password."""

    submit = marked("Sign in")

    username: Annotated[
        Text,
        Input(
            marked("User name"),
            hint=marked("Or your SIP address, phone number or e-mail address"),
            autocomplete="username",
        ),
    ]
    password: Annotated[Text, Input(marked("Password"), kind="password", autocomplete="current-password")]
    stay: Annotated[Flag, Input(marked("Stay signed in on this device"), kind="checkbox")] = False
    next: Annotated[Text | None, Input("", kind="hidden")] = None


class ConfirmForm(Form):
    """The proof that it is still the same person."""

    submit = marked("Continue")

    password: Annotated[Text, Input(marked("Password"), kind="password", autocomplete="current-password")]
    next: Annotated[Text | None, Input("", kind="hidden")] = None


class ProofByCodeForm(Form):
    """A code for the proof, to the address or number of an account without a password."""

    submit = marked("Send me a code")

    next: Annotated[Text | None, Input("", kind="hidden")] = None


class Following(Params):
    """The page to go on with."""

    next: Annotated[Text, Field(description="path of the page to go on with")] | None = None


class SignInEndpoint(FormEndpoint):
    """The base class of the endpoints with the sign-in form."""

    following: str | None = None

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        form = self.form(SignInForm, filled, action="/authenticate", initial={"next": self.following})
        settings, registration = self.settings.panel, self.accounts.web_sign_up.registration(self.space)
        if not settings.lasting_life:
            form = replace(form, fields=[one for one in form.fields if one.name != "stay"])
        missing = await self.accounts.administrators.are_missing()
        page = LoginPage(
            self.frame(marked("Sign in")),
            form,
            registers=registration != "closed",
            has_phone=settings.phone,
            command=self.context.first_admin_command(self.space) if missing else None,
        )
        return self.panel_page(page)


class AuthenticationEndpoint(SignInEndpoint):
    """The target of the sign-in form."""

    path = "/authenticate"

    @endpoint(Access.PUBLIC, hidden=True)
    async def post(self, body: SignInForm) -> PageReply:
        """Sign in with a password."""
        sign_in = self.sign_in
        account = await sign_in.panel.by_password(body.username, body.password, self.space, self.actor)
        limited = not account.activated
        method = SignInMethod.PASSWORD
        new = await sign_in.sessions.begin(
            account, self.actor, method, stays=body.stay, is_limited=limited, in_place_of=self.cookie("flexiapi")
        )
        return self.see_other(places.local(body.next), cookies=[self.session_cookie(new)])


class LoginEndpoint(SignInEndpoint):
    """The page with the sign-in form."""

    path = "/login"

    @endpoint(Access.PUBLIC, hidden=True)
    async def get(self, params: Following) -> PageReply:
        """Show the sign-in form, or go on with a session that there is."""
        self.following = params.next
        if await self.visitor() is not None:
            return self.see_other(places.local(params.next))
        return await self.show()


class ProofEndpoint(FormEndpoint):
    """The base class of the endpoints that ask for a proof."""

    following: str | None = None

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the field for the password; without one, with the button that sends a code."""
        has_password = bool(self.me.passwords)
        sends_code = not has_password and self.way_to_me is not None
        asked, action = (ProofByCodeForm, "/confirm/code") if sends_code else (ConfirmForm, "/confirm")
        form = self.form(asked, filled, action=action, initial={"next": self.following})
        title = self.frame(marked("Confirm that it is you"))
        return self.panel_page(ConfirmPage(title, form, has_password=has_password, sends_code=sends_code))

    @property
    def way_to_me(self) -> RecoveryRequest | None:
        """The request that sends a code to the account of the session; `None` if it cannot get one."""
        way = self.codes.web_recovery.way_to(self.me)
        is_off = way is not None and way.phone is not None and not self.settings.panel.phone
        return None if is_off else way


class ConfirmEndpoint(ProofEndpoint):
    """The page that asks for the password once more."""

    path = "/confirm"

    @endpoint(Access.USER, hidden=True)
    async def get(self, params: Following) -> PageReply:
        """Show the form."""
        self.following = params.next
        return await self.show()

    @endpoint(Access.USER, hidden=True)
    async def post(self, body: ConfirmForm) -> PageReply:
        """Note that the owner of the session typed the password."""
        await self.prove(body.password, "password")
        return self.see_other(places.local(body.next))


class SignOutEndpoint(FormEndpoint):
    """The end of a session. Its GET, which the original had, changes nothing."""

    path = "/logout"

    @endpoint(Access.USER, hidden=True, limited=True)
    async def get(self) -> PageReply:
        """Show a page with the button that ends the session."""
        return await self.show()

    @endpoint(Access.USER, hidden=True, limited=True)
    async def post(self, body: SignOut) -> PageReply:
        """End the session."""
        del body
        await self.sign_in.sessions.end(self.signed_in.session)
        return self.see_other("/login", Done.SIGNED_OUT, cookies=[self.new_cookie("flexiapi", "", 0)])

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        form = self.form(SignOut, filled, action="/logout")
        return self.panel_page(FormPage(self.frame(marked("Sign out")), form))
