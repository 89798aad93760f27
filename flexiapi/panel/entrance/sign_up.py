"""Sign-up by e-mail and by phone."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from flexiapi.errors import DeliveryFailed, FieldErrors, NoExternalAccountLeft, RouteNotFound, SpaceFull
from flexiapi.model import Algorithm, SignInMethod
from flexiapi.panel.entrance.fields import (
    NEW_PASSWORD,
    PASSWORD_AGAIN,
    PersonCheckedEndpoint,
    check_same,
    with_fields,
)
from flexiapi.panel.forms import EMPTY, Filled, Input, PublicForm
from flexiapi.panel.panel_endpoint import PanelEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.entrance import SignUpPage
from flexiapi.rendering.panel.frame import FormLink
from flexiapi.services.accounts import AccountDetails, RegistrationClosed
from flexiapi.services.fields import Email, Flag, Password, Text, TypedPhone, Username
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard, Switch
from flexiapi.web.parameters import Params
from flexiapi.web.replies import PageReply


class SignUpForm(PublicForm):
    """A new account. `by` says whether its code goes to the e-mail address or to the phone number."""

    submit = marked("Create the account")

    by: Annotated[Literal["email", "phone"], Input("", kind="hidden")] = "email"
    username: Annotated[
        Username,
        Input(
            marked("User name"),
            hint=marked("The first part of your SIP address: small letters, digits, dots and hyphens"),
            autocomplete="username",
        ),
    ]
    email: Annotated[
        Email | None,
        Input(marked("E-mail address"), kind="email", autocomplete="email", hint=marked("A code is sent to it")),
    ] = None
    phone: Annotated[
        TypedPhone | None,
        Input(
            marked("Phone number"),
            kind="tel",
            autocomplete="tel",
            hint=marked("With the code of the country, such as +33 6 12 34 56 78. A code is sent to it"),
        ),
    ] = None
    password: Annotated[Password, NEW_PASSWORD]
    password_confirmation: Annotated[Text, PASSWORD_AGAIN]
    token: Annotated[
        Text | None,
        Input(marked("Invitation"), hint=marked("The code of 13 letters and digits that you were given")),
    ] = None
    terms: Annotated[Flag, Input(marked("I accept the terms of use"), kind="checkbox")] = False
    privacy: Annotated[Flag, Input(marked("I accept the privacy policy"), kind="checkbox")] = False

    @classmethod
    def cross_check(cls, values: Mapping[str, Any], errors: FieldErrors) -> None:
        """Require the address or the number, and the same password twice."""
        by = values.get("by", "email")
        if not values.get(by) and by not in errors:
            errors[by] = [f"{by} is missing"]
        check_same(values, errors)


class SignUpQuery(Params):
    """An invitation from a link."""

    token: Annotated[Text, Field(description="invitation")] | None = None


async def _faults(exchange: "SignUpEndpoint", values: Mapping[str, Any]) -> FieldErrors:
    """Check what is to be accepted, and what the service checks of the one address that is used."""
    app, by = exchange.settings.app, values.get("by", "email")
    faults: FieldErrors = {}
    for name, url in (("terms", app.terms_url), ("privacy", app.privacy_url)):
        if url is not None and not values.get(name):
            faults[name] = [f"{name} must be accepted"]
    given = {name: value for name, value in values.items() if name in ("username", "password", "token", by)}
    if by == "phone" and not exchange.settings.panel.phone:
        faults["phone"] = ["phone is not used by this service: register by e-mail"]
    return faults | await exchange.accounts.web_sign_up.faults(given, exchange.space)


class SignUpEndpoint(PersonCheckedEndpoint):
    """The target of the sign-up form."""

    path = "/accounts"
    by: Literal["email", "phone"] = "email"
    invitation: str | None = None

    @endpoint(
        Access.PUBLIC,
        hidden=True,
        raises=(RegistrationClosed, NoExternalAccountLeft, SpaceFull, DeliveryFailed),
        checks=_faults,
        guard=Guard(limit="messages"),
    )
    async def post(self, body: SignUpForm) -> PageReply:
        """Create an account that waits for its code, and sign it in to the page for that alone."""
        await self.check_person()
        new = AccountDetails(
            username=body.username,
            password=body.password,
            algorithm=Algorithm.SHA_256,
            domain=self.space.domain,
            email=body.email if body.by == "email" else None,
            phone=body.phone if body.by == "phone" else None,
        )
        account = await self.accounts.web_sign_up.sign_up(new, body.token, self.actor)
        begun = await self.sign_in.sessions.begin(
            account, self.actor, SignInMethod.PASSWORD, is_limited=True, in_place_of=self.cookie("flexiapi")
        )
        return self.see_other("/activate", cookies=[self.session_cookie(begun)])

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form. Raises `RegistrationClosed`."""
        sign_up, settings = self.accounts.web_sign_up, self.settings
        sign_up.refuse_closed(self.space)
        by = filled.values.get("by", self.by) if filled is not EMPTY else self.by
        by = by if by in ("email", "phone") else "email"
        names = ["by", "username", by, "password", "password_confirmation"]
        is_invited = sign_up.registration(self.space) == "invited"
        names += ["token"] if is_invited or self.invitation or filled.values.get("token") else []
        app = settings.app
        names += [name for name, url in (("terms", app.terms_url), ("privacy", app.privacy_url)) if url is not None]
        initial = {"by": by, "token": self.invitation}
        form = with_fields(self.form(SignUpForm, filled, action="/accounts", initial=initial), names, names)
        other = FormLink("/register/phone", marked("Register with a phone number"))
        if by == "phone":
            other = FormLink("/register/email", marked("Register with an e-mail address"))
        links = [FormLink("/login", marked("I have an account: sign in"))]
        return self.panel_page(
            SignUpPage(
                self.frame(marked("Create an account")),
                form,
                links=[other, *links] if settings.panel.phone else links,
                captcha=self.codes.human_check.captcha,
                terms_url=app.terms_url,
                privacy_url=app.privacy_url,
            )
        )


class EmailSignUpEndpoint(SignUpEndpoint):
    """The page for a sign-up by e-mail."""

    path = "/register/email"

    @endpoint(Access.PUBLIC, hidden=True, raises=(RegistrationClosed,))
    async def get(self, params: SignUpQuery) -> PageReply:
        """Show the form."""
        self.invitation = params.token
        return await self.show()


class PhoneSignUpEndpoint(SignUpEndpoint):
    """The page for a sign-up by phone."""

    path = "/register/phone"
    by = "phone"

    @endpoint(
        Access.PUBLIC,
        hidden=True,
        raises=(RegistrationClosed,),
        switch=Switch(lambda exchange: exchange.settings.panel.phone, RouteNotFound),
    )
    async def get(self, params: SignUpQuery) -> PageReply:
        """Show the form."""
        self.invitation = params.token
        return await self.show()


class RegisterEndpoint(PanelEndpoint):
    """The way to the page for a sign-up."""

    path = "/register"

    @endpoint(Access.PUBLIC, hidden=True, raises=(RegistrationClosed,))
    async def get(self) -> PageReply:
        """Go to the page for a sign-up by e-mail, with the invitation of the link."""
        self.accounts.web_sign_up.refuse_closed(self.space)
        query = f"?{self.query}" if self.query else ""
        return self.see_other(f"/register/email{query}")
