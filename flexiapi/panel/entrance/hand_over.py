"""Sign-in of another device by a QR code that a signed-in browser shows."""

from base64 import b64encode

from flexiapi.errors import RecordNotFound
from flexiapi.model import SignInMethod
from flexiapi.panel.entrance.fields import Token
from flexiapi.panel.forms import EMPTY, Filled, Form, PublicForm
from flexiapi.panel.panel_endpoint import FormEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.entrance import AccountFormPage, HandOverPage
from flexiapi.rendering.panel.frame import FormLink, MessagePage
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard
from flexiapi.web.replies import PageReply

_FRESH_MINUTES = 10


class HandOverForm(Form):
    """The button that makes a QR code."""

    submit = marked("Show a new QR code")


class TakeOverForm(PublicForm):
    """The button that signs a device in."""

    submit = marked("Sign in")


class HandOverEndpoint(FormEndpoint):
    """QR codes for other devices."""

    path = "/auth_tokens"

    @endpoint(Access.USER, hidden=True)
    async def get(self) -> PageReply:
        """Show the button."""
        return await self.show()

    @endpoint(Access.USER, hidden=True, secret=True, fresh=_FRESH_MINUTES)
    async def post(self, body: HandOverForm) -> PageReply:
        """Show a QR code, in place of the one before."""
        del body
        qr = self.sign_in.qr
        token = (await qr.hand_over(self.me, self.actor)).token
        image = await qr.image(f"auth/{token}", self.space)
        return self.panel_page(
            HandOverPage(
                self.frame(marked("Sign in another device")),
                self.form(HandOverForm, action="/auth_tokens"),
                f"data:image/png;base64,{b64encode(image).decode()}",
                qr.url(f"auth/{token}", self.space),
            )
        )

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        form = self.form(HandOverForm, filled, action="/auth_tokens")
        return self.panel_page(HandOverPage(self.frame(marked("Sign in another device")), form))


class TakeOverEndpoint(FormEndpoint):
    """The page that such a QR code leads to."""

    path = "/auth_tokens/auth/{token}"

    @endpoint(Access.PUBLIC, hidden=True, secret=True, guard=Guard(guess=True))
    async def get(self, token: Token) -> PageReply:
        """Show whose account it is, without using the code up."""
        del token
        return await self.show()

    @endpoint(Access.PUBLIC, hidden=True, secret=True, guard=Guard(guess=True))
    async def post(self, token: Token, body: TakeOverForm) -> PageReply:
        """Sign this device in, once."""
        del body
        try:
            account = await self.sign_in.qr.take_over(token, self.actor)
        except RecordNotFound:
            return self.gone()
        limited = not account.activated
        begun = await self.sign_in.sessions.begin(
            account, self.actor, SignInMethod.QR, is_limited=limited, in_place_of=self.cookie("flexiapi")
        )
        return self.see_other("/dashboard", cookies=[self.session_cookie(begun)])

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button, or that for a code that is over."""
        token = self.arguments["token"]
        try:
            account = await self.sign_in.api_keys.holder(token, self.space)
        except RecordNotFound:
            return self.gone()
        form = self.form(TakeOverForm, filled, action=f"/auth_tokens/auth/{token}")
        lead = [marked("Sign this device in to this account?")]
        return self.panel_page(AccountFormPage(self.frame(marked("Sign in")), account.address, form, lead))

    def gone(self) -> PageReply:
        """Return the page for a code that is over, which counts as a wrong guess."""
        text = marked("This QR code was used already or has expired. Show a new one on the other device.")
        links = [FormLink("/login", marked("Sign in with a password"))]
        page = self.panel_page(MessagePage(self.frame(marked("This code does not work any more")), text, links), 404)
        page.is_wrong_guess = True
        return page
