"""Recovery of an account by a code: the same pages for accounts that there are and that there are not."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from flexiapi.errors import CodeRefused, FieldErrors, RouteNotFound, TooManyRequests
from flexiapi.model import SignInMethod
from flexiapi.panel import places
from flexiapi.panel.done import Done
from flexiapi.panel.entrance.fields import PersonCheckedEndpoint, Token, TypedCode, with_fields
from flexiapi.panel.forms import EMPTY, Filled, Input, PublicForm
from flexiapi.panel.login import ProofByCodeForm, ProofEndpoint
from flexiapi.panel.panel_endpoint import FormEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.entrance import CheckedFormPage, RecoveryCodePage
from flexiapi.rendering.panel.frame import FormLink
from flexiapi.services.codes import RecoveryRequest
from flexiapi.services.fields import Email, Text, TypedPhone
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard, Segment, Switch
from flexiapi.web.parameters import Params
from flexiapi.web.replies import PageReply

_BY_PHONE = Switch(lambda exchange: exchange.settings.panel.phone, RouteNotFound)


LinkedPhone = Annotated[str, Segment(r"\+[0-9]{1,20}", "+33612345678", "a phone number")]
LinkedPin = Annotated[str, Segment("[0-9]{4}", "0427", "the PIN of an SMS")]


class RecoveryForm(PublicForm):
    """The account to recover: by its e-mail address, with the user name where that is needed, or by its number."""

    submit = marked("Send the code")

    by: Annotated[Literal["email", "phone"], Input("", kind="hidden")] = "email"
    username: Annotated[
        Text | None, Input(marked("User name"), autocomplete="username", hint=marked("Or your SIP address"))
    ] = None
    email: Annotated[Email | None, Input(marked("E-mail address"), kind="email", autocomplete="email")] = None
    phone: Annotated[
        TypedPhone | None,
        Input(
            marked("Phone number"),
            kind="tel",
            autocomplete="tel",
            hint=marked("With the code of the country, such as +33 6 12 34 56 78"),
        ),
    ] = None
    next: Annotated[Text | None, Input("", kind="hidden")] = None
    recovery_token: Annotated[Text | None, Input("", kind="hidden")] = None

    @classmethod
    def cross_check(cls, values: Mapping[str, Any], errors: FieldErrors) -> None:
        """Require the address or the number."""
        by = values.get("by", "email")
        if not values.get(by) and by not in errors:
            errors[by] = [f"{by} is missing"]


class RecoveryCodeForm(TypedCode):
    """The code of a recovery, with what was asked for."""

    public = True
    submit = marked("Continue")

    by: Annotated[Literal["email", "phone"], Input("", kind="hidden")] = "email"
    username: Annotated[Text | None, Input("", kind="hidden")] = None
    email: Annotated[Email | None, Input("", kind="hidden")] = None
    phone: Annotated[TypedPhone | None, Input("", kind="hidden")] = None
    next: Annotated[Text | None, Input("", kind="hidden")] = None


class PhoneQuery(Params):
    """The number that an app knows."""

    phone: Annotated[Text, Field(description="phone number")] | None = None


def _request(body: RecoveryForm | RecoveryCodeForm) -> RecoveryRequest:
    if body.by == "phone":
        return RecoveryRequest(phone=body.phone)
    return RecoveryRequest(email=body.email, username=body.username.lower() if body.username else None)


async def _faults(exchange: "RecoveryEndpoint", values: Mapping[str, Any]) -> FieldErrors:
    """Require the user name where an address can be that of several accounts."""
    if values.get("by") == "phone":
        return {} if exchange.settings.panel.phone else {"phone": ["phone is not used by this service"]}
    needs_name = exchange.codes.web_recovery.needs_username
    return {"username": ["username is missing"]} if needs_name and not values.get("username") else {}


class RecoveryEndpoint(PersonCheckedEndpoint):
    """The target of the form that asks for a code."""

    path = "/recover"
    by: Literal["email", "phone"] = "email"
    known: Mapping[str, Any] = {}

    @endpoint(Access.PUBLIC, hidden=True, checks=_faults, guard=Guard(limit="messages"))
    async def post(self, body: RecoveryForm) -> PageReply:
        """Send a code, if there is such an account, and show the form for it in any case."""
        if not body.recovery_token or not await self.codes.recovery_tokens.spend(body.recovery_token, self.actor):
            await self.check_person()
        self.codes.web_recovery.ask(_request(body), self.actor)
        return code_page(self, body.model_dump())

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        by = filled.values.get("by", self.by) if filled is not EMPTY else self.by
        by = by if by in ("email", "phone") else "email"
        names = ["by", by, "next", "recovery_token"]
        if by == "email" and self.codes.web_recovery.needs_username:
            names.append("username")
        token = (self.known if filled is EMPTY else filled.values).get("recovery_token")
        form = self.form(RecoveryForm, filled, action="/recover", initial={**self.known, "by": by})
        links = [FormLink("/login", marked("Back to the sign-in"))]
        if self.settings.panel.phone:
            by_phone = FormLink("/recover/phone", marked("Use my phone number"))
            links.insert(0, FormLink("/recover/email", marked("Use my e-mail address")) if by == "phone" else by_phone)
        lead = [marked("A code lets you choose a new password.")]
        title = self.frame(marked("Recover your account"))
        is_proven = bool(token) and await self.codes.recovery_tokens.is_free(str(token), self.space)
        captcha = None if is_proven else self.codes.human_check.captcha
        return self.panel_page(CheckedFormPage(title, with_fields(form, names, names), lead, links, captcha))


class EmailRecoveryEndpoint(RecoveryEndpoint):
    """The page for a recovery by e-mail."""

    path = "/recover/email"

    @endpoint(Access.PUBLIC, hidden=True)
    async def get(self) -> PageReply:
        """Show the form."""
        return await self.show()


class LaterEmailRecoveryEndpoint(EmailRecoveryEndpoint):
    """The same page by the name that later apps have for it."""

    path = "/recovery/email"


class PhoneRecoveryEndpoint(RecoveryEndpoint):
    """The page for a recovery by phone."""

    path = "/recover/phone"
    by = "phone"

    @endpoint(Access.PUBLIC, hidden=True, switch=_BY_PHONE)
    async def get(self, params: PhoneQuery) -> PageReply:
        """Show the form, with the number of the link."""
        self.known = {"phone": params.phone}
        return await self.show()


class LaterPhoneRecoveryEndpoint(PhoneRecoveryEndpoint):
    """The same page by the name that later apps have for it."""

    path = "/recovery/phone"


class AppPhoneRecoveryEndpoint(RecoveryEndpoint):
    """The same page, opened by an app with a token that was pushed to its device, in place of the human check."""

    path = "/recovery/phone/{token}"
    by = "phone"

    @endpoint(Access.PUBLIC, hidden=True, secret=True, switch=_BY_PHONE)
    async def get(self, token: Token, params: PhoneQuery) -> PageReply:
        """Show the form, with the number of the link. The token is used by the form alone."""
        self.known = {"phone": params.phone, "recovery_token": token}
        return await self.show()


class RecoveryLinkEndpoint(FormEndpoint):
    """The page of the link in an SMS with a code. Its form is that for the code, in any browser."""

    path = "/recover/{phone}/{code}"

    @endpoint(Access.PUBLIC, hidden=True, secret=True, switch=_BY_PHONE)
    async def get(self, phone: LinkedPhone, code: LinkedPin) -> PageReply:
        """Show the code of the link with the button that confirms it. No account is looked up, and nothing changes."""
        return code_page(self, {"by": "phone", "phone": phone}, code=code)


class RecoveryCodeEndpoint(FormEndpoint):
    """The target of the form for the code."""

    path = "/recover/confirm"

    @endpoint(Access.PUBLIC, hidden=True, raises=(CodeRefused, TooManyRequests), guard=Guard(guess=True))
    async def post(self, body: RecoveryCodeForm) -> PageReply:
        """Sign in by the code, and go on to what needed this proof, or to the page for a new password."""
        account = await self.codes.web_recovery.confirm(_request(body), body.typed, self.actor)
        before = self.cookie("flexiapi")
        begun = await self.sign_in.sessions.begin(account, self.actor, SignInMethod.CODE, in_place_of=before)
        going_on = places.local(body.next, "")
        done = Done.CONFIRMED if going_on else Done.RECOVERED
        return self.see_other(going_on or "/password", done, cookies=[self.session_cookie(begun)])

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        return code_page(self, filled.values, filled)


class ProofByCodeEndpoint(ProofEndpoint):
    """The target of the button that sends a code to the account of the session, which has no password."""

    path = "/confirm/code"

    @endpoint(Access.USER, hidden=True, guard=Guard(limit="messages"))
    async def post(self, body: ProofByCodeForm) -> PageReply:
        """Send a code, and show the form for it."""
        way = self.way_to_me
        if way is None:
            return await self.show()
        self.codes.web_recovery.ask(way, self.actor)
        by = "email" if way.phone is None else "phone"
        return code_page(self, {"by": by, "username": way.username, by: getattr(way, by), "next": body.next})


def code_page(
    endpoint: FormEndpoint, asked: Mapping[str, Any], filled: Filled = EMPTY, *, code: str | None = None
) -> PageReply:
    """Return the page for the code, which remembers what was asked for. It does not depend on any account.

    `code` is that of a link.
    """
    by = "phone" if asked.get("by") == "phone" else "email"
    known = {name: asked.get(name) for name in ("by", "username", by, "next")}
    form = endpoint.form(RecoveryCodeForm, filled, action="/recover/confirm", initial={**known, "code": code})
    entry = with_fields(form, ["code", *known], ["code"])
    if by == "email":
        # A mailed code has letters: no keyboard of digits for it.
        fields = [replace(field, kind="key") if field.name == "code" else field for field in entry.fields]
        entry = replace(entry, fields=fields)
    again = with_fields(endpoint.form(RecoveryForm, action="/recover", initial=known), known)
    hidden = [replace(field, kind="hidden") for field in again.fields]
    page = RecoveryCodePage(
        endpoint.frame(marked("Enter the code") if code is None else marked("Recover your account")),
        str(asked.get(by) or ""),
        entry,
        replace(again, submit=marked("Send another code"), fields=hidden),
        is_linked=code is not None,
    )
    return endpoint.panel_page(page)
