"""The voicemail of the account: a list, players, and the removal of messages."""

from typing import Annotated

from pydantic import Field

from flexiapi.errors import RecordNotFound, RouteNotFound
from flexiapi.model import Voicemail
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.panel.panel_endpoint import FormEndpoint, PanelEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.voicemail import RemoveVoicemailPage, VoicemailPage, VoicemailRow
from flexiapi.services.fields import Text
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Switch
from flexiapi.web.parameters import Params
from flexiapi.web.replies import PageReply

_LIST = "/voicemail"
_ENABLED = Switch(lambda exchange: exchange.settings.voicemail.enabled, off=RouteNotFound)


class RemoveVoicemailForm(Form):
    """The removal of a voicemail."""

    submit = marked("Delete this message")
    is_dangerous = True

    message: Annotated[Text, Input("", kind="hidden")] = ""


class ChosenVoicemail(Params):
    """The voicemail to remove."""

    message: Annotated[Text, Field(description="the message, as in the list")] = ""


class VoicemailEndpoint(PanelEndpoint):
    """The voicemail of the account."""

    path = _LIST

    @endpoint(Access.USER, hidden=True, switch=_ENABLED)
    async def get(self) -> PageReply:
        """Show the messages, the newest first."""
        box = await self.calls.voicemails.box_of(self.me)
        rows = [_row_of(voicemail) for voicemail in box.voicemails]
        return self.panel_page(VoicemailPage(self.frame(marked("Voicemail")), rows, self.settings.voicemail.days))


class RemoveVoicemailEndpoint(FormEndpoint):
    """The removal of a voicemail."""

    path = f"{_LIST}/delete"

    @endpoint(Access.USER, hidden=True, switch=_ENABLED)
    async def get(self, params: ChosenVoicemail) -> PageReply:
        """Show the message, with the button that deletes it."""
        if await self._found(params.message) is None:
            raise RecordNotFound
        return await self.show(Filled({"message": params.message}))

    @endpoint(Access.USER, hidden=True, switch=_ENABLED, keeps_accounts=True)
    async def post(self, body: RemoveVoicemailForm) -> PageReply:
        """Delete the message."""
        await self.calls.voicemails.remove(self.me, body.message, self.actor)
        return self.see_other(_LIST, Done.VOICEMAIL_REMOVED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        found = await self._found(str(filled.values.get("message", "")))
        form = self.form(RemoveVoicemailForm, filled, action=self.path)
        row = None if found is None else _row_of(found)
        return self.panel_page(RemoveVoicemailPage(self.frame(marked("Delete this message?")), form, row))

    async def _found(self, voicemail_id: str) -> Voicemail | None:
        return await self.calls.voicemails.if_any(self.me.id, voicemail_id)


def _row_of(voicemail: Voicemail) -> VoicemailRow:
    path = f"/f/{voicemail.link}/{voicemail.name}" if voicemail.link else None
    return VoicemailRow(voicemail.id, voicemail.caller_address, voicemail.uploaded_at, voicemail.size, path)
