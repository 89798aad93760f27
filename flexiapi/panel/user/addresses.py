"""Changes of one's own e-mail address and phone number, each proven by a code."""

from dataclasses import replace
from typing import Annotated, Any, ClassVar

from pydantic import Field

from flexiapi.errors import FieldErrors, RecordNotFound
from flexiapi.model import Account, Channel
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.panel.panel_endpoint import FormEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.frame import FormLink, FormPage
from flexiapi.rendering.panel.user import AddressCodePage
from flexiapi.services.fields import Email, Text, TypedPhone, TypedPin
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard
from flexiapi.web.parameters import Params
from flexiapi.web.replies import PageReply

_DIGITS = ("number_1", "number_2", "number_3", "number_4")
_FRESH = 10


class NewEmailForm(Form):
    """A new e-mail address."""

    submit = marked("Send a code")

    email: Annotated[
        Email,
        Input(
            marked("New e-mail address"),
            kind="email",
            hint=marked("We send a code to it."),
            autocomplete="email",
        ),
    ]


class NewPhoneForm(Form):
    """A new phone number."""

    submit = marked("Send a code")

    phone: Annotated[
        TypedPhone,
        Input(
            marked("New phone number"),
            kind="tel",
            hint=marked("With the code of the country, as in +33 6 12 34 56 78. We send a code to it."),
            autocomplete="tel",
        ),
    ]


class AddressCodeForm(Form):
    """The code that was sent to a new address or number, as a whole or digit by digit."""

    submit = marked("Confirm")

    code: Annotated[TypedPin | None, Input(marked("Code"), kind="code", autocomplete="one-time-code")] = None
    number_1: Text | None = None
    number_2: Text | None = None
    number_3: Text | None = None
    number_4: Text | None = None

    @classmethod
    def cross_check(cls, values: Any, errors: FieldErrors) -> None:
        """Demand the code in one of the two ways."""
        typed = cls.typed(values)
        if "code" not in errors and not (len(typed) == len(_DIGITS) and typed.isascii() and typed.isdecimal()):
            errors["code"] = ["code is missing" if not typed else "code must be the 4 digits that were sent"]

    @classmethod
    def typed(cls, values: Any) -> str:
        """Return the code of these values."""
        return values.get("code") or "".join(values.get(name) or "" for name in _DIGITS)


class CodeInLink(Params):
    """The code of a link in a message."""

    code: Annotated[Text, Field(description="the code that was sent")] | None = None


class ResendCodeForm(Form):
    """Another code to the same address or number."""

    submit = marked("Send another code")


class CancelChangeForm(Form):
    """The end of a change that waits for its code."""

    submit = marked("Cancel the change")


class AddressEndpoint(FormEndpoint):
    """The base class of the pages of both kinds."""

    channel: ClassVar[Channel]
    form_of_change: ClassVar[type[Form]]

    def change_page(self, filled: Filled = EMPTY, lead: str = "") -> PageReply:
        """Return the page that asks for the new address or number."""
        title = {"email": marked("Change your e-mail address"), "phone": marked("Change your phone number")}
        page = FormPage(
            self.frame(title[self.channel]),
            self.form(self.form_of_change, filled, action=f"/{self.channel}/change"),
            [lead] if lead else [],
            [FormLink("/dashboard", marked("Keep the present one"))],
        )
        return self.panel_page(page)

    def code_page(self, account: Account, filled: Filled, code: str | None = None) -> PageReply:
        """Return the page that asks for the code. Raises `RecordNotFound` if no change waits for one."""
        pending = account.pending_change(self.channel)
        if pending is None:
            raise RecordNotFound
        changes = self.codes.address_changes
        form = self.form(AddressCodeForm, filled, action=f"/{self.channel}", initial={"code": code})
        page = AddressCodePage(
            self.frame(marked("Enter the code")),
            # It is optional only for programs that send digit by digit.
            replace(form, fields=[replace(one, is_required=True) for one in form.fields]),
            self.form(ResendCodeForm, action=f"/{self.channel}/resend"),
            self.form(CancelChangeForm, action=f"/{self.channel}/cancel"),
            pending.target,
            changes.tries_left(pending),
            pending.expires_at,
        )
        return self.panel_page(page)

    async def code_again(self, filled: Filled) -> PageReply:
        """Return the page of the code as the account is now, or the first page if the change has ended."""
        account = await self.accounts.directory.again(self.me)
        if account.pending_change(self.channel) is None:
            told = Filled(message=filled.message or next(iter(filled.errors.get("code", ())), None))
            return self.change_page(told, marked("The change has ended. Begin it again."))
        return self.code_page(account, filled)


class EmailPages(AddressEndpoint):
    """The base class of the pages about the e-mail address."""

    channel = "email"
    form_of_change = NewEmailForm


class PhonePages(AddressEndpoint):
    """The base class of the pages about the phone number."""

    channel = "phone"
    form_of_change = NewPhoneForm


class EmailChangePageEndpoint(EmailPages):
    """The new e-mail address."""

    path = "/email/change"

    @endpoint(Access.USER, hidden=True)
    async def get(self) -> PageReply:
        """Ask for the new address."""
        return self.change_page()

    @endpoint(
        Access.USER,
        hidden=True,
        fresh=_FRESH,
        checks=lambda exchange, values: exchange.codes.address_changes.faults(exchange.me, values),
        guard=Guard(limit="messages"),
    )
    async def post(self, body: NewEmailForm) -> PageReply:
        """Send a code to the new address."""
        await self.codes.address_changes.request_email(self.me, body.email, self.actor)
        return self.see_other("/email/validate", Done.CODE_SENT)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        return self.change_page(filled)


class PhoneChangePageEndpoint(PhonePages):
    """The new phone number."""

    path = "/phone/change"

    @endpoint(Access.USER, hidden=True)
    async def get(self) -> PageReply:
        """Ask for the new number."""
        return self.change_page()

    @endpoint(
        Access.USER,
        hidden=True,
        fresh=_FRESH,
        checks=lambda exchange, values: exchange.codes.address_changes.faults(exchange.me, values),
        guard=Guard(limit="messages"),
    )
    async def post(self, body: NewPhoneForm) -> PageReply:
        """Send a code to the new number."""
        await self.codes.address_changes.request_phone(self.me, body.phone, self.actor)
        return self.see_other("/phone/validate", Done.CODE_SENT)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        return self.change_page(filled)


class EmailCodeEndpoint(EmailPages):
    """The code that was sent to the new e-mail address. The link in the mail opens it and changes nothing."""

    path = "/email/validate"

    @endpoint(Access.USER, hidden=True, raises=(RecordNotFound,))
    async def get(self, params: CodeInLink) -> PageReply:
        """Ask for the code, or show the one of the link with the button that confirms it."""
        return self.code_page(self.me, EMPTY, params.code)


class PhoneCodeEndpoint(PhonePages):
    """The code that was sent to the new phone number. The link in the SMS opens it and changes nothing."""

    path = "/phone/validate"

    @endpoint(Access.USER, hidden=True, raises=(RecordNotFound,))
    async def get(self, params: CodeInLink) -> PageReply:
        """Ask for the code, or show the one of the link with the button that confirms it."""
        return self.code_page(self.me, EMPTY, params.code)


class EmailConfirmationEndpoint(EmailPages):
    """The target of the code of an e-mail address."""

    path = "/email"

    @endpoint(Access.USER, hidden=True, guard=Guard(guess=True))
    async def post(self, body: AddressCodeForm) -> PageReply:
        """Change the address if the code is right."""
        try:
            await self.codes.address_changes.confirm_email(self.me, AddressCodeForm.typed(dict(body)), self.actor)
        except RecordNotFound:
            return self.see_other("/email/change", Done.CHANGE_ENDED)
        return self.see_other("/dashboard", Done.EMAIL_CHANGED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page of the code."""
        return await self.code_again(filled)


class PhoneConfirmationEndpoint(PhonePages):
    """The target of the code of a phone number."""

    path = "/phone"

    @endpoint(Access.USER, hidden=True, guard=Guard(guess=True))
    async def post(self, body: AddressCodeForm) -> PageReply:
        """Change the number if the code is right."""
        try:
            await self.codes.address_changes.confirm_phone(self.me, AddressCodeForm.typed(dict(body)), self.actor)
        except RecordNotFound:
            return self.see_other("/phone/change", Done.CHANGE_ENDED)
        return self.see_other("/dashboard", Done.PHONE_CHANGED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page of the code."""
        return await self.code_again(filled)
