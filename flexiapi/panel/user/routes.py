"""The endpoints of the pages of one's own account."""

from flexiapi.panel.endpoint import PageEndpoint
from flexiapi.panel.user.address_codes import (
    EmailCancellationEndpoint,
    EmailResendingEndpoint,
    PhoneCancellationEndpoint,
    PhoneResendingEndpoint,
)
from flexiapi.panel.user.addresses import (
    EmailChangePageEndpoint,
    EmailCodeEndpoint,
    EmailConfirmationEndpoint,
    PhoneChangePageEndpoint,
    PhoneCodeEndpoint,
    PhoneConfirmationEndpoint,
)
from flexiapi.panel.user.api_key import ApiKeyPageEndpoint, EndKeyEndpoint
from flexiapi.panel.user.call_forwarding import (
    CallForwardingPageEndpoint,
    ForwardingAdditionEndpoint,
    ForwardingChangeEndpoint,
    ForwardingRemovalEndpoint,
    ForwardingSwitchEndpoint,
)
from flexiapi.panel.user.calls import CallsPageEndpoint
from flexiapi.panel.user.contacts import ContactsFileEndpoint, ContactsPageEndpoint, StoredCardsFileEndpoint
from flexiapi.panel.user.deletion import DeletionEndpoint, GoodbyeEndpoint
from flexiapi.panel.user.devices import (
    DevicesPageEndpoint,
    RemoveDeviceEndpoint,
    TestMessageEndpoint,
    TestPushEndpoint,
)
from flexiapi.panel.user.export import ExportEndpoint
from flexiapi.panel.user.password import PasswordPageEndpoint
from flexiapi.panel.user.setup_link import ProvisionPageEndpoint
from flexiapi.panel.user.voicemail import RemoveVoicemailEndpoint, VoicemailEndpoint

USER_ENDPOINTS: tuple[type[PageEndpoint], ...] = (
    ApiKeyPageEndpoint,
    EndKeyEndpoint,
    EmailChangePageEndpoint,
    EmailCodeEndpoint,
    EmailConfirmationEndpoint,
    EmailResendingEndpoint,
    EmailCancellationEndpoint,
    PhoneChangePageEndpoint,
    PhoneCodeEndpoint,
    PhoneConfirmationEndpoint,
    PhoneResendingEndpoint,
    PhoneCancellationEndpoint,
    PasswordPageEndpoint,
    DevicesPageEndpoint,
    RemoveDeviceEndpoint,
    TestPushEndpoint,
    TestMessageEndpoint,
    ProvisionPageEndpoint,
    ContactsPageEndpoint,
    ContactsFileEndpoint,
    CallsPageEndpoint,
    CallForwardingPageEndpoint,
    ForwardingAdditionEndpoint,
    ForwardingChangeEndpoint,
    ForwardingSwitchEndpoint,
    ForwardingRemovalEndpoint,
    StoredCardsFileEndpoint,
    VoicemailEndpoint,
    RemoveVoicemailEndpoint,
    ExportEndpoint,
    DeletionEndpoint,
    GoodbyeEndpoint,
)
