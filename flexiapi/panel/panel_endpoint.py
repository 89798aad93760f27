"""The base classes of the endpoints of the panel: sessions, surroundings, forms."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http.client import responses
from typing import Any, cast
from urllib.parse import urlsplit

from flexiapi.crypto.keys import random_text
from flexiapi.errors import (
    AdminRequired,
    ApiError,
    ConfirmationRequired,
    CookiesNeeded,
    FormOutdated,
    FreshCheckRequired,
    MalformedRequest,
    NotFound,
    RouteNotFound,
    SessionRequired,
    TooManyRequests,
    ValidationFailed,
    WrongCredentials,
)
from flexiapi.model import Account
from flexiapi.panel import forms, places
from flexiapi.panel.done import Done, note
from flexiapi.panel.endpoint import TITLES, PageEndpoint
from flexiapi.panel.forms import CURRENT_PASSWORD, EMPTY, TOKEN, Filled, Form
from flexiapi.panel.languages import LanguageForm
from flexiapi.panel.menu import menu_of
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.forms import Choice, FormView
from flexiapi.rendering.panel.frame import FormLink, Frame, Languages, MessagePage, PanelPage, Visitor
from flexiapi.services.sign_in import NewSession, SessionIdentity
from flexiapi.web.closed import Maintenance, NotReady, Overloaded
from flexiapi.web.form_origin import CrossSiteForm
from flexiapi.web.identity import Claim, SessionCookie, cookie
from flexiapi.web.operation import Access, Operation
from flexiapi.web.parameters import read
from flexiapi.web.replies import Answer, Cookie, HttpReply, PageReply

_SECRET_LENGTH = 32
_START = FormLink("/", marked("Start page"))
# Failures that no form can mend.
_OF_THE_PAGE = (SessionRequired, AdminRequired, ConfirmationRequired, CrossSiteForm, MalformedRequest, NotFound)
_OF_THE_PROCESS = (Maintenance, NotReady, Overloaded)


class SignOut(Form):
    """The form in the head of every page of a session."""

    submit = marked("Sign out")


class PanelEndpoint(PageEndpoint):
    """The base class of the endpoints of the panel."""

    _new_cookies: Sequence[Cookie] = ()

    def __init_subclass__(cls) -> None:
        """Count requests against the general limit, as without a session they lead to an open page."""
        super().__init_subclass__()
        cls.is_throttled = True

    def claimed(self) -> Claim:
        """Return the session that the request claims. Raises `SessionRequired` without one."""
        token = self.cookie("flexiapi")
        if not token:
            raise SessionRequired
        return SessionCookie(token)

    @property
    def signed_in(self) -> SessionIdentity:
        """The session, on operations for users and administrators."""
        return cast("SessionIdentity", self.identity)

    @property
    def me(self) -> Account:
        """The account of the session."""
        return self.signed_in.account

    async def visitor(self) -> SessionIdentity | None:
        """Return the session on a public page, `None` without one."""
        if self.identity is None:
            try:
                self.identity = await self.context.sign_in(self.claimed(), self.client, self.space)
            except ApiError:
                return None
        return self.signed_in

    @property
    def is_secure(self) -> bool:
        """True if the browser speaks TLS with us."""
        return self.public_url.startswith("https:") or self.context.peers.is_https(self.request)

    @property
    def root(self) -> str:
        """Path of the panel; empty unless a front server removes one from requests."""
        return urlsplit(self.public_url).path.rstrip("/")

    @property
    def place(self) -> str:
        """Path of the request, with its query."""
        return self.request.target

    @property
    def here(self) -> str:
        """Path of the page, to come back to; empty for the target of a form that has no page."""
        if self.request.method in ("GET", "HEAD"):
            return self.place
        return self.place.partition("?")[0] if "GET" in self.methods else ""

    def account_languages(self) -> Sequence[str]:
        """Return the language of the account that is signed in: one, or none."""
        language = None if self.identity is None else self.me.language
        return () if language is None else (language,)

    def cookie(self, name: str) -> str:
        """Return a cookie of the panel, or an empty text."""
        return cookie(self.request.headers.get("Cookie", ""), self._cookie_name(name))

    def new_cookie(self, name: str, value: str, max_age: int | None = None) -> Cookie:
        """Return a cookie of the panel to set; `max_age` is in seconds, 0 removes it."""
        return Cookie(self._cookie_name(name), value, max_age, "Lax")

    def _cookie_name(self, name: str) -> str:
        # With the prefix, browsers take it from this host alone, and over TLS alone.
        return f"__Host-{name}" if self.is_secure else name

    def session_cookie(self, new: NewSession) -> Cookie:
        """Return the cookie of a new session."""
        return self.new_cookie("flexiapi", new.token, new.max_age)

    def form_secret(self, *, public: bool) -> str:
        """Return the secret of the browser that the tokens of forms are made of."""
        if not public:
            return self.cookie("flexiapi")
        known = self.cookie("flexiapi-form")
        if len(known) != _SECRET_LENGTH:
            known = next((one.value for one in self._new_cookies), None) or random_text(_SECRET_LENGTH)
            self._new_cookies = (self.new_cookie("flexiapi-form", known),)
        return known

    def form(
        self,
        form: type[Form],
        filled: Filled = EMPTY,
        *,
        action: str,
        initial: Mapping[str, Any] | None = None,
        choices: Mapping[str, Sequence[Choice]] | None = None,
    ) -> FormView:
        """Return a form for a page; `action` is a path below the root."""
        token = self.sign_in.form_tokens.make(self.form_secret(public=form.public), form.__name__)
        return forms.view(form, action, token, filled, initial or {}, choices or {})

    def frame(self, title: str) -> Frame:
        """Return the surroundings of a page with an English title in `marked`."""
        assets, space = self.context.assets, self.space
        session = None if self.identity is None else self.signed_in
        visitor = None
        if session is not None:
            address = session.account.address
            sign_out = self.form(SignOut, action="/logout")
            visitor = Visitor(address, session.is_active_admin, session.is_limited, sign_out)
        return Frame(
            title,
            nonce=secrets.token_urlsafe(12),
            root=self.root,
            place=self.place.partition("?")[0],
            hue=space.hue,
            logo=None if space.logo is None else "/assets/logo",
            stylesheet=assets.stylesheet.path,
            script=assets.script.path,
            visitor=visitor,
            note=note(self.cookie("flexiapi-done")),
            menu=menu_of(visitor, self.settings, space),
            languages=self._languages(),
        )

    def _languages(self) -> Languages | None:
        """Return the languages to choose from at the foot of the page; `None` if there is one only."""
        offered = self.offered_languages()
        if len(offered) == 1:
            return None
        form = self.form(LanguageForm, action="/language", initial={"next": self.here or "/"})
        return Languages(form, offered, self.language.templates)

    def panel_page(self, page: PanelPage, status: int = 200, cookies: Sequence[Cookie] = ()) -> PageReply:
        """Return a page of the panel."""
        nonce = page.frame.nonce
        # The script of a captcha brings others, and a frame.
        others = f"script-src 'nonce-{nonce}' 'strict-dynamic'; frame-src https:; connect-src 'self' https:; "
        policy = (
            f"default-src 'self'; {others if getattr(page, 'captcha', None) else ''}"
            f"style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; object-src 'none'; "
            "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
        headers = [("Content-Security-Policy", policy), ("Cache-Control", "no-store")]
        told = [self.new_cookie("flexiapi-done", "", 0)] if page.frame.note is not None else []
        body = self.rendered_page(page).encode()
        return PageReply(body, headers, [*self._new_cookies, *told, *cookies], status=status)

    def see_other(
        self, path: str, done: Done | None = None, *, count: int = 0, cookies: Sequence[Cookie] = ()
    ) -> PageReply:
        """Return a redirect to a path below the root, whose page shows a note about what was done."""
        noted = [] if done is None else [self.new_cookie("flexiapi-done", done.cookie(count))]
        headers = [("Location", self.root + path), ("Cache-Control", "no-store")]
        return PageReply(b"", headers, [*self._new_cookies, *noted, *cookies], status=303)

    async def check_fresh(self, within: timedelta) -> None:
        """Check when the owner of the session proved who it is, or a password that came with the form."""
        if self.sign_in.sessions.is_confirmed(self.signed_in, within):
            return
        given = None
        # A link could have a password too, by which others would make the browser guess.
        if hasattr(self, "validated") and self.validated.model.is_form:
            given = self.validated.raw.get(CURRENT_PASSWORD)
        if not isinstance(given, str):
            raise FreshCheckRequired
        await self.prove(given)

    async def prove(self, password: str, field: str = CURRENT_PASSWORD) -> None:
        """Note that the owner of the session typed the password. Raises `ValidationFailed`, `TooManyRequests`."""
        try:
            await self.sign_in.panel.by_password(self.me.address, password, self.space, self.actor)
        except WrongCredentials as error:
            raise ValidationFailed({field: [f"{field} is wrong"]}) from error
        await self.sign_in.sessions.confirm(self.signed_in.session)

    def rendered(self, error: ApiError, status: int) -> HttpReply:
        """Return a failure as a page with the surroundings of the panel."""
        if self.host_space is None or not self.settings.panel.enabled:
            return super().rendered(error, status)
        title = TITLES.get(status) or responses.get(status, marked("Error"))
        message = error.message
        if isinstance(error, RouteNotFound):
            message = marked("Check the address in the browser, or go on from the start page.")
        return self.panel_page(MessagePage(self.frame(title), message, [_START]), status)

    def failed(self, error: ApiError, *, is_secret: bool = False) -> Answer:
        """Return the answer for a failure: a page, or the way to one that helps."""
        here = self.here
        if isinstance(error, SessionRequired):
            reply = self.see_other(places.with_next("/login", here))
        elif isinstance(error, FreshCheckRequired):
            reply = self.see_other(places.with_next("/confirm", here))
        elif isinstance(error, ConfirmationRequired):
            reply = self.see_other("/activate")
        else:
            return super().failed(error, is_secret=is_secret)
        self.failure = error.with_traceback(None)
        return Answer(reply.status, reply, self.headers, is_secret=True)


class FormEndpoint(PanelEndpoint):
    """The base class of the endpoints with a form. When it fails, `show` shows it again as it was filled."""

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        raise NotImplementedError

    def check_form(self) -> None:
        """Check the token of the form. Raises `FormOutdated`, `CookiesNeeded`."""
        form = cast("type[Form]", self.validated.model)
        given, secret = self.validated.raw.get(TOKEN), self.cookie("flexiapi-form" if form.public else "flexiapi")
        if form.public and not secret:
            raise CookiesNeeded
        is_right = self.sign_in.form_tokens.is_right
        if not (secret and isinstance(given, str) and is_right(given, secret, form.__name__)):
            raise FormOutdated

    async def explained(self, error: ApiError, operation: Operation) -> Answer:
        """Return the page with the form as it was filled, and with what was wrong."""
        form = operation.params
        if form is None or not issubclass(form, Form) or isinstance(error, _OF_THE_PAGE + _OF_THE_PROCESS):
            return self.failed(error, is_secret=True)
        is_early = self.host_space is None or not self.settings.panel.enabled
        if is_early or (operation.access is not Access.PUBLIC and self.identity is None):
            # The steps that say whether this visitor may see the page were not reached.
            return self.failed(error, is_secret=True)
        if isinstance(error, FreshCheckRequired) and not self.me.passwords:
            return self.failed(error, is_secret=True)
        if not self.arguments:
            self.arguments = {name: one.convert(self.path_values[name]) for name, one in operation.path.items()}
        try:
            reply: HttpReply = await self.show(Filled.after(error, self._typed(form)))
        except ApiError as more:
            return self.failed(error if isinstance(error, TooManyRequests) else more, is_secret=True)
        self.failure = error.with_traceback(None)
        return Answer(error.status, reply, [*self.headers, *error.headers()], is_secret=True)

    def _typed(self, form: type[Form]) -> Mapping[str, Any]:
        if hasattr(self, "validated"):
            return self.validated.raw
        request = self.request
        return read(form, request.body, request.headers.get("Content-Type", ""), self.query)[0]
