"""Sign-in of a browser by a QR code that it shows, once another device has let it in."""

import re
from base64 import b64encode
from typing import Annotated

from flexiapi.errors import CodeRefused, NotLetIn, RecordNotFound, TooManyRequests
from flexiapi.model import Browser, QrRequest, SignInMethod
from flexiapi.panel.done import Done
from flexiapi.panel.entrance.fields import Token
from flexiapi.panel.forms import EMPTY, Filled, Form, Input, PublicForm
from flexiapi.panel.panel_endpoint import FormEndpoint, PanelEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.entrance import LetInPage, QrPage
from flexiapi.rendering.panel.forms import Choice
from flexiapi.rendering.panel.frame import FormLink, FormPage, MessagePage
from flexiapi.services.fields import Text
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard
from flexiapi.web.replies import Json, PageReply

_SECRET = "flexiapi-qr"  # noqa: S105  # the name of a cookie
_SECONDS = 300
_NUMBER = re.compile("[0-9]{2}")


class AskForm(PublicForm):
    """The button that shows a code."""

    submit = marked("Show the QR code")


class LetMeInForm(PublicForm):
    """The button that signs in once the code was scanned."""

    submit = marked("Sign in")


class LetInForm(Form):
    """The number that the other browser shows."""

    submit = marked("Sign the other browser in")

    number: Annotated[Text, Input(marked("Which number does it show?"), kind="radios")]


class RefuseForm(Form):
    """The button that refuses another browser."""

    submit = marked("No, refuse it")
    is_dangerous = True


class AskEndpoint(FormEndpoint):
    """The page that offers a QR code."""

    path = "/authenticate/qrcode"

    @endpoint(Access.PUBLIC, hidden=True)
    async def get(self) -> PageReply:
        """Show the button. A code is made by its form, for a GET changes nothing."""
        return await self.show()

    @endpoint(Access.PUBLIC, hidden=True, guard=Guard(limit="anonymous_tokens"))
    async def post(self, body: AskForm) -> PageReply:
        """Make a code for this browser, which keeps a secret beside it."""
        del body
        shown = await self.sign_in.qr.ask(self.actor)
        secret = self.new_cookie(_SECRET, shown.secret, _SECONDS)
        return self.see_other(f"/authenticate/qrcode/{shown.token}", cookies=[secret])

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        return self.panel_page(ask_page(self, filled))


def ask_page(endpoint: FormEndpoint, filled: Filled = EMPTY, *, is_over: bool = False) -> FormPage:
    """Return the page with the button, also in place of a code that is over."""
    form = endpoint.form(AskForm, filled, action="/authenticate/qrcode")
    lead = [marked("This browser shows a QR code. You scan it with a phone that is signed in, and compare a number.")]
    if is_over:
        lead.insert(0, marked("The QR code is over. Show a new one."))
    links = [FormLink("/login", marked("Sign in with a password"))]
    return FormPage(endpoint.frame(marked("Sign in with a phone")), form, lead, links)


class ShownEndpoint(FormEndpoint):
    """The page with the QR code, and the sign-in by it."""

    path = "/authenticate/qrcode/{token}"

    async def asked(self, token: str) -> QrRequest:
        """Return the request of this browser. Raises `RecordNotFound`, also for the code of another browser."""
        return await self.sign_in.qr.own_request(token, self.cookie(_SECRET), self.space)

    @endpoint(Access.PUBLIC, hidden=True, secret=True)
    async def get(self, token: Token) -> PageReply:
        """Show the code and the number."""
        del token
        return await self.show()

    @endpoint(Access.PUBLIC, hidden=True, secret=True, raises=(NotLetIn,))
    async def post(self, token: Token, body: LetMeInForm) -> PageReply:
        """Sign this browser in, once another device has let it in."""
        del body
        try:
            if not (await self.asked(token)).is_attached:
                raise NotLetIn
            account = await self.sign_in.qr.redeem(token, self.cookie(_SECRET), self.actor)
        except RecordNotFound:
            return self.panel_page(ask_page(self, is_over=True), 404)
        limited = not account.activated
        begun = await self.sign_in.sessions.begin(
            account, self.actor, SignInMethod.QR, is_limited=limited, in_place_of=self.cookie("flexiapi")
        )
        return self.see_other("/dashboard", cookies=[self.session_cookie(begun), self.new_cookie(_SECRET, "", 0)])

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the code, or that for a new one."""
        token = self.arguments["token"]
        try:
            request = await self.asked(token)
            host = await self.sign_in.qr.host(request, self.space) if request.is_attached else None
        except RecordNotFound:
            return self.panel_page(ask_page(self, is_over=True), 404)
        image = b"" if host is not None else await self.sign_in.qr.image(f"auth/external/{token}", self.space)
        page = QrPage(
            self.frame(marked("Sign in with a phone")),
            f"data:image/png;base64,{b64encode(image).decode()}" if image else "",
            request.browser.number,
            f"/authenticate/qrcode/{token}/state",
            self.form(LetMeInForm, filled, action=f"/authenticate/qrcode/{token}"),
            None if host is None else host.address,
        )
        return self.panel_page(page)


class StateEndpoint(PanelEndpoint):
    """The state of a QR code, for the script of its page."""

    path = "/authenticate/qrcode/{token}/state"

    @endpoint(Access.PUBLIC, hidden=True, secret=True)
    async def get(self, token: Token) -> Json:
        """Return whether another device has let this browser in. A code that is over is a 404."""
        request = await self.sign_in.qr.own_request(token, self.cookie(_SECRET), self.space)
        return Json(b'{"attached":true}' if request.is_attached else b'{"attached":false}')


class LetInEndpoint(FormEndpoint):
    """The page on which a signed-in person lets another browser in."""

    path = "/auth_tokens/auth/external/{token}"

    @endpoint(Access.USER, hidden=True, secret=True, raises=(RecordNotFound,), guard=Guard(guess=True))
    async def get(self, token: Token) -> PageReply:
        """Show what asks, and three numbers to choose from."""
        del token
        return await self.show()

    @endpoint(Access.USER, hidden=True, secret=True, raises=(TooManyRequests,), guard=Guard(guess=True))
    async def post(self, token: Token, body: LetInForm) -> PageReply:
        """Let the browser in that shows the number."""
        number = int(body.number) if _NUMBER.fullmatch(body.number) else 0
        try:
            await self.sign_in.qr.approve(token, number, self.me, self.actor)
        except CodeRefused:
            text = marked("That was another number, so the other browser is not signed in. Begin again on it.")
            return self.panel_page(MessagePage(self.frame(marked("Nothing was done")), text, [HOME]), 403)
        except RecordNotFound:
            return self.gone()
        return self.see_other("/dashboard", Done.LET_IN)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the numbers, or that for a request that is over."""
        token = self.arguments["token"]
        try:
            request = await self.sign_in.qr.request(token, self.space)
        except RecordNotFound:
            return self.gone()
        if request.is_attached:
            return self.gone()
        action, asking = f"/auth_tokens/auth/external/{token}", request.browser
        choices = {"number": [Choice(str(number), str(number)) for number in asking.choices]}
        browser = Browser.of(asking.user_agent)
        page = LetInPage(
            self.frame(marked("Sign another browser in?")),
            browser.name,
            browser.system,
            asking.address,
            self.form(LetInForm, filled, action=action, choices=choices),
            self.form(RefuseForm, action=f"{action}/refuse"),
        )
        return self.panel_page(page)

    def gone(self) -> PageReply:
        """Return the page for a request that is over, which counts as a wrong guess."""
        text = marked("This QR code is over. Show a new one in the other browser.")
        page = self.panel_page(MessagePage(self.frame(marked("This code does not work any more")), text, [HOME]), 404)
        page.is_wrong_guess = True
        return page


class RefuseEndpoint(FormEndpoint):
    """The refusal of another browser."""

    path = "/auth_tokens/auth/external/{token}/refuse"

    @endpoint(Access.USER, hidden=True, secret=True)
    async def post(self, token: Token, body: RefuseForm) -> PageReply:
        """End the request of the other browser."""
        del body
        await self.sign_in.qr.refuse(token, self.actor)
        return self.see_other("/dashboard", Done.REFUSED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        action = f"/auth_tokens/auth/external/{self.arguments['token']}/refuse"
        form = self.form(RefuseForm, filled, action=action)
        return self.panel_page(FormPage(self.frame(marked("Refuse another browser")), form))


HOME = FormLink("/dashboard", marked("My account"))
