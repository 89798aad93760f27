"""The phones that are registered with one's own account now, and tests of them."""

from typing import Annotated

from flexiapi.errors import RecordNotFound, RegistrarUnavailable, RouteNotFound, SipUnavailable
from flexiapi.model import Device, UserAgent
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.panel.panel_endpoint import FormEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.phones import DevicesPage, PhoneLine, RemoveDevicePage
from flexiapi.services.fields import Text
from flexiapi.services.phones import PushOutcome
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Segment, Switch
from flexiapi.web.replies import PageReply

_PAGE = "/devices"
_TEXT = marked("This is a test. Your phone can be reached.")
_SWITCH = Switch(lambda exchange: exchange.settings.panel.devices, off=RouteNotFound)

Uuid = Annotated[str, Segment(".{1,500}", "urn:uuid:4f2e1a9c-1111-4222-8333-444455556666", "a registered device")]


class TestPushForm(Form):
    """A test push to all registered phones."""

    __test__ = False
    submit = marked("Send me a test push")


class TestMessageForm(Form):
    """A test message to all registered phones."""

    __test__ = False
    submit = marked("Send me a test message")


class RemoveDeviceForm(Form):
    """The end of a registration."""

    submit = marked("Remove this phone")
    is_dangerous = True

    uuid: Annotated[Text, Input("", kind="hidden")]


class DevicesPages(FormEndpoint):
    """The base class of the pages about registered phones."""

    async def list_page(self, filled: Filled = EMPTY) -> PageReply:
        """Return the list. A registrar that does not answer is told on it, and its status is that of the failure."""
        phones = self.phones
        try:
            found, failure = await phones.devices.of(self.me), None
        except RegistrarUnavailable as error:
            found, failure = [], error
        messages = self.form(TestMessageForm, action=f"{_PAGE}/message")
        page = DevicesPage(
            self.frame(marked("My phones")),
            self.form(TestPushForm, filled, action=f"{_PAGE}/push"),
            messages if phones.messages.is_enabled else None,
            [self.view_of(one) for one in found],
            is_known=phones.devices.is_known,
            failure=None if failure is None else failure.message,
        )
        reply = self.panel_page(page, 200 if failure is None else failure.status)
        if failure is not None:
            self.headers += failure.headers()
        return reply

    def view_of(self, device: Device) -> PhoneLine:
        """Return the view of a phone."""
        agent = UserAgent.parse(device.user_agent)
        return PhoneLine(
            device.uuid,
            agent.name,
            agent.device,
            device.updated_at,
            device.expires_at,
            None if device.push is None else device.push.provider,
            is_here=bool(device.host) and device.host.strip("[]") == self.client,
        )

    def test_text(self) -> str:
        """Return the text of a test, in the language of the person."""
        renderer = self.context.renderer
        language = renderer.page_language(self.wanted_languages(), self.space.language)
        return f"{self.app_name}: {renderer.catalogue(language.templates).gettext(_TEXT)}"

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the list, with what was wrong."""
        return await self.list_page(filled)


class DevicesPageEndpoint(DevicesPages):
    """The list of registered phones."""

    path = _PAGE

    @endpoint(Access.USER, hidden=True, switch=_SWITCH)
    async def get(self) -> PageReply:
        """Show the phones that are registered now."""
        return await self.list_page()

    @endpoint(Access.USER, hidden=True, switch=_SWITCH, raises=(RecordNotFound, RegistrarUnavailable))
    async def post(self, body: RemoveDeviceForm) -> PageReply:
        """End a registration."""
        await self.phones.devices.remove(self.me, body.uuid)
        return self.see_other(_PAGE, Done.DEVICE_REMOVED)


class RemoveDeviceEndpoint(DevicesPages):
    """The page that asks before a phone is removed."""

    path = f"{_PAGE}/delete/{{uuid}}"

    @endpoint(Access.USER, hidden=True, switch=_SWITCH, raises=(RecordNotFound, RegistrarUnavailable))
    async def get(self, uuid: Uuid) -> PageReply:
        """Show the phone, and the button that removes it."""
        found = next((one for one in await self.phones.devices.of(self.me) if one.uuid == uuid), None)
        if found is None:
            raise RecordNotFound
        form = self.form(RemoveDeviceForm, action=_PAGE, initial={"uuid": uuid})
        return self.panel_page(RemoveDevicePage(self.frame(marked("Remove this phone?")), form, self.view_of(found)))


class TestPushEndpoint(DevicesPages):
    """The target of the button for a test push."""

    __test__ = False
    path = f"{_PAGE}/push"

    @endpoint(Access.USER, hidden=True, switch=_SWITCH, raises=(RegistrarUnavailable,))
    async def post(self, body: TestPushForm) -> PageReply:
        """Send a test push to the phones that say how they are woken."""
        del body
        outcome = await self.phones.trials.push(self.me, self.test_text())
        return self.see_other(_PAGE, done_of(outcome), count=outcome.accepted)


class TestMessageEndpoint(DevicesPages):
    """The target of the button for a test message."""

    __test__ = False
    path = f"{_PAGE}/message"

    @endpoint(Access.USER, hidden=True, switch=_SWITCH, raises=(RouteNotFound, SipUnavailable))
    async def post(self, body: TestMessageForm) -> PageReply:
        """Send a test message to the account's own address."""
        del body
        await self.phones.trials.message(self.me, self.test_text())
        return self.see_other(_PAGE, Done.MESSAGE_SENT)


def done_of(outcome: PushOutcome) -> Done:
    """Return the note about a test push."""
    if outcome.accepted:
        return Done.PUSH_SENT
    if outcome.unregistered:
        return Done.PUSH_UNREGISTERED
    return Done.PUSH_FAILED if outcome.failed else Done.PUSH_NOWHERE
