"""Call forwarding of one's own account."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from flexiapi.errors import RecordNotFound
from flexiapi.model import CallForwarding
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.panel.forwarding_lines import forwarding_line
from flexiapi.panel.panel_endpoint import FormEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.call_forwarding import CallForwardingPage, ForwardingLine
from flexiapi.rendering.panel.forms import Choice
from flexiapi.rendering.panel.frame import FormLink, FormPage
from flexiapi.services import call_fields, fields
from flexiapi.services.accounts import AccountBusy
from flexiapi.services.calls import ForwardingValues, ShownForwarding
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Segment
from flexiapi.web.replies import PageReply

_PAGE = "/call_forwarding"
_FAILURES = (RecordNotFound, AccountBusy)
_BACK = (FormLink(_PAGE, marked("Go back without a change")),)
_CALLS = (
    Choice("always", marked("All calls")),
    Choice("no_answer", marked("Calls without answer")),
    Choice("busy", marked("Calls while I am busy")),
)
_PLACES = (
    Choice("sip_uri", marked("A SIP address")),
    Choice("contact", marked("A contact")),
    Choice("voicemail", marked("Voicemail")),
)
_LABELS = {
    "enabled": marked("Call forwarding"),
    "sip_uri": marked("SIP address"),
    "contact_id": marked("Contact"),
}

RuleId = Annotated[int, Segment("[0-9]{1,18}", "1", "the id of a rule")]
Target = Annotated[call_fields.ForwardingTarget, Input(marked("Forward to"), kind="radios", choices=_PLACES)]
TargetAddress = Annotated[
    call_fields.TypedSipUri | None,
    Input(marked("SIP address"), hint=marked("Such as bob@sip.example.org, if calls go to an address")),
]
TargetContact = Annotated[
    call_fields.ContactId | None,
    Input(marked("Contact"), kind="select", hint=marked("If calls go to a contact")),
]
Enabled = Annotated[fields.Flag | None, Input(marked("This rule is switched on"), kind="checkbox")]


class ForwardingForm(Form):
    """A new rule."""

    submit = marked("Save the rule")

    type: Annotated[call_fields.ForwardingKind, Input(marked("Calls"), kind="radios", choices=_CALLS)]
    forward_to: Target
    sip_uri: TargetAddress = None
    contact_id: TargetContact = None
    enabled: Enabled = None


class ForwardingChangeForm(Form):
    """The values of a rule, whose calls stay."""

    submit = marked("Save the rule")

    forward_to: Target
    sip_uri: TargetAddress = None
    contact_id: TargetContact = None
    enabled: Enabled = None


class ForwardingSwitchForm(Form):
    """The button that switches a rule on or off."""

    enabled: Annotated[fields.Flag | None, Input("", kind="hidden")] = None


class ForwardingRemovalForm(Form):
    """The button that deletes a rule."""

    submit = marked("Delete the rule")
    is_dangerous = True


class ForwardingPages(FormEndpoint):
    """The base class of the pages about call forwarding."""

    async def list_page(self, filled: Filled = EMPTY) -> PageReply:
        """Return the list, with what was wrong with a switch."""
        rules = await self.calls.forwarding.of(self.me)
        lines = [self._line(one) for one in rules]
        name, texts = next(iter(filled.errors.items()), ("", ()))
        message = filled.message or next(iter(texts), None)
        frame = self.frame(marked("Call forwarding"))
        label = _LABELS.get(name, "")
        return self.panel_page(CallForwardingPage(frame, lines, len(lines) < len(_CALLS), message, name, label))

    def _line(self, shown: ShownForwarding) -> ForwardingLine:
        rule = shown.rule
        place, enabled = f"{_PAGE}/{rule.id}/switch", "" if rule.enabled else "true"
        switch = self.form(ForwardingSwitchForm, action=place, initial={"enabled": enabled})
        switch = replace(switch, submit=marked("Switch off") if rule.enabled else marked("Switch on"))
        return replace(forwarding_line(shown), switch=switch)

    async def form_page(self, form: type[Form], filled: Filled, *, action: str, initial: dict[str, Any]) -> PageReply:
        """Return the page with the form of a rule."""
        contacts = [Choice(str(one.id), one.address) for one in await self.calls.forwarding.choices(self.me)]
        choices: dict[str, Sequence[Choice]] = {"contact_id": [Choice("", marked("None")), *contacts]}
        made = self.form(form, filled, action=action, initial=initial, choices=choices)
        title = marked("Add a rule") if form is ForwardingForm else marked("Change the rule")
        return self.panel_page(FormPage(self.frame(title), made, (), _BACK))

    async def rule(self) -> CallForwarding:
        """Return the rule in the path. Raises `RecordNotFound`."""
        return (await self.calls.forwarding.one_of(self.me, self.arguments["item"])).rule


class CallForwardingPageEndpoint(ForwardingPages):
    """The rules."""

    path = _PAGE

    @endpoint(Access.USER, hidden=True)
    async def get(self) -> PageReply:
        """Show the rules."""
        return await self.list_page()


class ForwardingAdditionEndpoint(ForwardingPages):
    """A new rule."""

    path = f"{_PAGE}/add"

    @endpoint(Access.USER, hidden=True)
    async def get(self) -> PageReply:
        """Show the form."""
        return await self.show()

    @endpoint(Access.USER, raises=_FAILURES, hidden=True)
    async def post(self, body: ForwardingForm) -> PageReply:
        """Add the rule."""
        values = ForwardingValues(body.type, body.forward_to, bool(body.enabled), body.sip_uri, body.contact_id)
        await self.calls.forwarding.add(self.me, values, self.actor)
        return self.see_other(_PAGE, Done.FORWARDING_SAVED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        return await self.form_page(ForwardingForm, filled, action=self.path, initial={"enabled": True})


class ForwardingChangeEndpoint(ForwardingPages):
    """The change of a rule."""

    path = f"{_PAGE}/{{item}}/edit"

    @endpoint(Access.USER, raises=(RecordNotFound,), hidden=True)
    async def get(self, item: RuleId) -> PageReply:
        """Show the form."""
        del item
        return await self.show()

    @endpoint(Access.USER, raises=_FAILURES, hidden=True)
    async def post(self, item: RuleId, body: ForwardingChangeForm) -> PageReply:
        """Change the rule."""
        values = ForwardingValues(None, body.forward_to, bool(body.enabled), body.sip_uri, body.contact_id)
        await self.calls.forwarding.replace(self.me, item, values, self.actor)
        return self.see_other(_PAGE, Done.FORWARDING_SAVED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        rule = await self.rule()
        initial = {
            "forward_to": rule.forward_to.value,
            "sip_uri": rule.sip_uri,
            "contact_id": rule.contact_id,
            "enabled": rule.enabled,
        }
        return await self.form_page(ForwardingChangeForm, filled, action=f"{_PAGE}/{rule.id}/edit", initial=initial)


class ForwardingSwitchEndpoint(ForwardingPages):
    """The target of the buttons that switch rules on and off."""

    path = f"{_PAGE}/{{item}}/switch"

    @endpoint(Access.USER, raises=_FAILURES, hidden=True)
    async def post(self, item: RuleId, body: ForwardingSwitchForm) -> PageReply:
        """Switch the rule on or off."""
        rule = await self.rule()
        values = ForwardingValues(None, rule.forward_to, bool(body.enabled), rule.sip_uri, rule.contact_id)
        await self.calls.forwarding.replace(self.me, item, values, self.actor)
        return self.see_other(_PAGE, Done.FORWARDING_ON if body.enabled else Done.FORWARDING_OFF)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the list, with what was wrong."""
        return await self.list_page(filled)


class ForwardingRemovalEndpoint(ForwardingPages):
    """The removal of a rule."""

    path = f"{_PAGE}/{{item}}/delete"

    @endpoint(Access.USER, raises=(RecordNotFound,), hidden=True)
    async def get(self, item: RuleId) -> PageReply:
        """Show the button."""
        del item
        return await self.show()

    @endpoint(Access.USER, raises=_FAILURES, hidden=True)
    async def post(self, item: RuleId, body: ForwardingRemovalForm) -> PageReply:
        """Delete the rule."""
        del body
        await self.calls.forwarding.remove(self.me, item, self.actor)
        return self.see_other(_PAGE, Done.FORWARDING_REMOVED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        rule = await self.rule()
        form = self.form(ForwardingRemovalForm, filled, action=f"{_PAGE}/{rule.id}/delete")
        lead = (marked("These calls are no longer forwarded:"), dict(_CALLS)[rule.type.value])
        return self.panel_page(FormPage(self.frame(marked("Delete the rule?")), form, lead, _BACK))
