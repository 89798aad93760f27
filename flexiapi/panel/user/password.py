"""One's own password."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

from flexiapi.errors import FieldErrors
from flexiapi.model import SignInMethod
from flexiapi.panel import places
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.panel.panel_endpoint import FormEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.user import PasswordPage
from flexiapi.services.fields import Flag, Password, Text
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply

_FRESH = timedelta(minutes=10)


class PasswordForm(Form):
    """A new password."""

    submit = marked("Set the password")

    old_password: Annotated[
        Text | None, Input(marked("Present password"), kind="password", autocomplete="current-password")
    ] = None
    password: Annotated[Password, Input(marked("New password"), kind="password", autocomplete="new-password")]
    password_confirmation: Annotated[
        Text, Input(marked("New password once more"), kind="password", autocomplete="new-password")
    ]
    sign_out: Annotated[
        Flag,
        Input(
            marked("Sign out all other devices"),
            kind="checkbox",
            hint=marked("Ends your other sessions and your API key. Phones need the new password in any case."),
        ),
    ] = False

    @classmethod
    def cross_check(cls, values: Mapping[str, Any], errors: FieldErrors) -> None:
        """Demand the same password twice."""
        once, again = values.get("password"), values.get("password_confirmation")
        if once is not None and again is not None and once != again:
            errors.setdefault("password_confirmation", []).append("password_confirmation is not the same")


class PasswordPageEndpoint(FormEndpoint):
    """The password of the account of the session."""

    path = "/password"

    @endpoint(Access.USER, hidden=True)
    async def get(self) -> PageReply:
        """Show the form."""
        return await self.show()

    @endpoint(
        Access.USER,
        hidden=True,
        checks=lambda exchange, values: exchange.faults(values),
    )
    async def post(self, body: PasswordForm) -> PageReply:
        """Change the password, and give this session a new secret."""
        if not (self.me.passwords or self._is_proven_by_code):
            return self.see_other(places.with_next("/confirm", self.path))
        keeps = not body.sign_out
        account = await self.sign_in.my_password.change(
            self.me,
            None,
            body.password,
            body.old_password,
            self.actor,
            keeps_key=keeps,
            keeps_sign_ins=keeps,
            is_proven=self._is_proven_by_code,
        )
        new = await self.sign_in.sessions.renew(self.signed_in.session, account, self.actor)
        done = Done.PASSWORD_CHANGED if keeps else Done.PASSWORD_CHANGED_EVERYWHERE
        return self.see_other("/dashboard", done, cookies=[self.session_cookie(new)])

    @property
    def _is_proven_by_code(self) -> bool:
        """True in a session that began with a code a short time ago."""
        by_code = self.signed_in.session.method in (SignInMethod.CODE, SignInMethod.INVITE)
        return by_code and self.sign_in.sessions.is_confirmed(self.signed_in, _FRESH)

    @property
    def _asks_old(self) -> bool:
        return bool(self.me.passwords) and not self._is_proven_by_code

    async def faults(self, values: Any) -> FieldErrors:
        """Check the new password, and that the present one is there if it is asked."""
        faults = await self.accounts.rules.password_faults(self.me, values)
        is_missing = self._asks_old and not values.get("old_password")
        return {"old_password": ["old_password is missing"], **faults} if is_missing else faults

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form, without the present password where none is asked."""
        form = self.form(PasswordForm, filled, action=self.path, initial={"sign_out": True})
        shown = [one for one in form.fields if one.name != "old_password" or self._asks_old]
        form = replace(form, fields=[replace(one, is_required=one.kind == "password") for one in shown])
        title = marked("Change your password") if self.me.passwords else marked("Set a password")
        names = self.space.names
        page = PasswordPage(self.frame(title), form, names.password_min_length, names.refuses_common_passwords)
        return self.panel_page(page)
