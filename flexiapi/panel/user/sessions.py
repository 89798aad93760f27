"""The list of one's own sessions, and their end."""

from typing import Annotated

from pydantic import Field

from flexiapi.errors import RecordNotFound
from flexiapi.model import Browser, PanelSession
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.panel.panel_endpoint import FormEndpoint, PanelEndpoint, SignOut
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.frame import FormLink, FormPage
from flexiapi.rendering.panel.sessions import EndSessionPage, SessionsPage, SessionView
from flexiapi.services.fields import Text
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params
from flexiapi.web.replies import PageReply

_LIST = "/sessions"
_FRESH = 10


class EndSessionForm(Form):
    """The end of one session."""

    submit = marked("End this session")
    is_dangerous = True

    session: Annotated[Text, Input("", kind="hidden")] = ""


class EndOthersForm(Form):
    """The end of all sessions but that of the browser."""

    submit = marked("End all other sessions")
    is_dangerous = True


class ChosenSession(Params):
    """The session to end."""

    session: Annotated[Text, Field(description="the session, as in the list")] = ""


class SessionsEndpoint(PanelEndpoint):
    """The sessions of the account."""

    path = _LIST

    @endpoint(Access.USER, hidden=True)
    async def get(self) -> PageReply:
        """Show the sessions, that of this browser first."""
        mine = self.signed_in.session
        found = sorted(await self.sign_in.sessions.of(self.me), key=lambda one: one.id_hash != mine.id_hash)
        page = SessionsPage(
            self.frame(marked("Sessions")),
            [view_of(one, mine) for one in found],
            self.form(SignOut, action="/logout"),
        )
        return self.panel_page(page)


class EndSessionEndpoint(FormEndpoint):
    """The end of one session."""

    path = f"{_LIST}/end"

    @endpoint(Access.USER, hidden=True, fresh=_FRESH)
    async def get(self, params: ChosenSession) -> PageReply:
        """Show the session, with the button that ends it."""
        await self._chosen(params.session)
        return await self.show(Filled({"session": params.session}))

    @endpoint(Access.USER, hidden=True, fresh=_FRESH)
    async def post(self, body: EndSessionForm) -> PageReply:
        """End the session."""
        chosen = await self._chosen(body.session)
        await self.sign_in.sessions.sign_out(self.me, chosen.id_hash, self.actor)
        if chosen.id_hash == self.signed_in.session.id_hash:
            return self.see_other("/login", Done.SIGNED_OUT, cookies=[self.new_cookie("flexiapi", "", 0)])
        return self.see_other(_LIST, Done.SESSION_ENDED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        chosen = await self._found(str(filled.values.get("session", "")))
        form = self.form(EndSessionForm, filled, action=self.path)
        view = None if chosen is None else view_of(chosen, self.signed_in.session)
        page = EndSessionPage(self.frame(marked("End this session?")), form, view)
        return self.panel_page(page)

    async def _chosen(self, identifier: str) -> PanelSession:
        """Return the session of the account that a request names. Raises `RecordNotFound`."""
        chosen = await self._found(identifier)
        if chosen is None:
            raise RecordNotFound
        return chosen

    async def _found(self, identifier: str) -> PanelSession | None:
        found = await self.sign_in.sessions.of(self.me)
        return next((one for one in found if one.id_hash.hex() == identifier), None)


class EndOtherSessionsEndpoint(FormEndpoint):
    """The end of all sessions but that of the browser."""

    path = f"{_LIST}/end_others"

    @endpoint(Access.USER, hidden=True, fresh=_FRESH)
    async def get(self) -> PageReply:
        """Show the button."""
        return await self.show()

    @endpoint(Access.USER, hidden=True, fresh=_FRESH)
    async def post(self, body: EndOthersForm) -> PageReply:
        """End them."""
        del body
        ended = await self.sign_in.sessions.sign_out_others(self.me, self.signed_in.session, self.actor)
        return self.see_other(_LIST, Done.SESSION_ENDED if ended == 1 else Done.SESSIONS_ENDED, count=ended)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        page = FormPage(
            self.frame(marked("End all other sessions?")),
            self.form(EndOthersForm, filled, action=self.path),
            [marked("Every other browser has to sign in again. Phones stay as they are.")],
            [FormLink(_LIST, marked("Back to the sessions"))],
        )
        return self.panel_page(page)


def view_of(session: PanelSession, mine: PanelSession) -> SessionView:
    """Return a session as pages show it, seen from the session of the browser."""
    browser = Browser.of(session.user_agent)
    return SessionView(
        session.id_hash.hex(),
        browser.name,
        browser.system,
        session.ip,
        session.method.value,
        session.created_at,
        session.seen_at,
        session.idle_until,
        is_mine=session.id_hash == mine.id_hash,
    )
