"""Settings of what apps show, which go to phones with their provisioning."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from flexiapi.settings.values import SettingsSection, empty_is_unset

OptionalFlag = Annotated[bool | None, BeforeValidator(empty_is_unset)]
OptionalCount = Annotated[int | None, BeforeValidator(empty_is_unset)]


class UiSettings(SettingsSection):
    """The section `ui` of provisioning: what Linphone 6 shows. Each entry is sent if it is set here, as 0 or 1."""

    disable_chat_feature: OptionalFlag = Field(None, description="hide the chat")
    disable_meetings_feature: OptionalFlag = Field(None, description="hide meetings")
    disable_broadcast_feature: OptionalFlag = Field(None, description="hide broadcasts among the meetings")
    disable_call_recordings_feature: OptionalFlag = Field(None, description="hide recordings of calls")
    hide_settings: OptionalFlag = Field(None, description="hide the settings of the app")
    hide_account_settings: OptionalFlag = Field(None, description="hide the settings of accounts")
    only_display_sip_uri_username: OptionalFlag = Field(
        None, description="show user names in place of whole SIP addresses"
    )
    assistant_hide_create_account: OptionalFlag = Field(None, description="hide the creation of an account")
    assistant_disable_qr_code: OptionalFlag = Field(None, description="switch the scanning of QR codes off")
    assistant_hide_third_party_account: OptionalFlag = Field(None, description="hide the entry of an account elsewhere")
    super: OptionalFlag = Field(None, description="tell the app that this is the space of the operator")
    max_account: OptionalCount = Field(None, ge=0, description="accounts that the app has at most; 0 is any number")
