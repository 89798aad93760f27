"""The section of the rules for accounts."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from flexiapi.settings.values import (
    AppLinkPrefix,
    CountryCodes,
    Names,
    OptionalPath,
    OptionalText,
    Realm,
    Regex,
    SettingsSection,
)


class AccountSettings(SettingsSection):
    """Rules for accounts."""

    realm: Realm = Field(None, description="DIGEST realm of all accounts; unset, the account's domain")
    email_unique: bool = Field(False, description="an e-mail address belongs to one account at most")
    username_regex: Regex = Field(r"^[a-z0-9+_.-]*$", description="regular expression that usernames must match")
    username_min_length: int = Field(6, ge=1, description="shortest new username, in characters")
    password_min_length: int = Field(6, ge=1, description="shortest new password, in characters")
    refuse_common_passwords: bool = Field(
        True, description="refuse the most common passwords, and the username or domain as password"
    )
    blacklisted_usernames: Names = Field(
        (), description="usernames, or regular expressions of usernames, that cannot be registered"
    )
    public_domains: Names = Field((), description="domains that accounts/public may name beside app.sip_domain")
    phone_countries: CountryCodes = Field(
        (),
        description="countries whose phone numbers new accounts and changes may have, such as FR; none named is all. "
        "Countries with the same calling code go together. Administrators switch single ones off and on within them",
    )
    registration: Literal["open", "invited", "closed"] = Field(
        "open",
        description="who may create accounts without an administrator: with any creation token, with one that an "
        "administrator made, or not at all",
    )
    quota: int = Field(0, ge=0, description="most accounts that the service may have; 0 is any number")
    consume_external_account_on_create: bool = Field(
        False, description="each new account takes a free external account; without a free one, creation fails"
    )
    proxy_registrar_address: OptionalText = Field(
        None,
        description="SIP server of the accounts, a host or URI: shown in mails, and where provisioned phones register",
    )
    transport_protocol_text: str = Field(
        "TLS (recommended), TCP or UDP",
        description="shown in mails; provisioned phones take the first of TLS, TCP and UDP that it names",
    )
    confirmed_text: OptionalText = Field(
        None, description="text in the mail that follows the first password of an account"
    )
    provisioning_rc_file: OptionalPath = Field(
        None, description="liblinphone rc file that every provisioning starts with"
    )
    provisioning_overwrite_all: bool = Field(False, description='provisioned entries carry overwrite="true"')
    provisioning_header_required: bool = Field(
        False, description="demand X-Linphone-Provisioning on token provisioning (liblinphone sends it from 5.3 on)"
    )
    provisioning_hooks: Names = Field(
        (), description="installed provisioning hooks to use, in this order; none by default"
    )
    provisioning_token_hours: int = Field(
        720,
        ge=0,
        description="life of a provisioning token, in hours; 0 is for ever. One in a mail lives as long as its code",
    )
    app_link_prefix: AppLinkPrefix = Field(
        "linphone-config:",
        description="what the button of the set-up page puts before a provisioning URL to open the app; empty is no "
        "button",
    )
    creation_token_retry_minutes: int = Field(
        60, ge=0, description="wait for the next push of a creation token, in minutes"
    )
    creation_token_title: OptionalText = Field(
        None, description="title of the notification that a creation token comes with; unset, the phone shows none"
    )
    creation_tokens_per_device: int = Field(4, ge=1, description="creation tokens that a device may ever get")
    creation_token_days: int = Field(7, ge=1, description="life of a creation token, in days")
    recovery_token_minutes: int = Field(
        60, ge=1, description="life of a token that is pushed to a device for the recovery page, in minutes"
    )
    recovery_token_retry_minutes: int = Field(
        10, ge=1, description="wait for the next push of a recovery token to a device, in minutes"
    )
    request_token_hours: int = Field(24, ge=1, description="life of a creation request token, in hours")
    pin_minutes: int = Field(10, ge=1, description="life of a PIN sent by SMS or mail, in minutes")
    pin_tries: int = Field(
        3,
        ge=1,
        le=5,
        description="tries of a PIN for the network that asked for it, and as many for all other networks together",
    )
    activation_hours: int = Field(24, ge=1, description="life of a key in a mail, and of the links beside it, in hours")
    nonce_minutes: int = Field(60, ge=1, description="life of a DIGEST nonce, in minutes")
    md5: bool = Field(True, description="accept MD5 for DIGEST, over HTTP and SIP; false allows SHA-256 only")
    tombstone_days: int = Field(
        7, ge=0, description="how long a deleted name cannot be registered, in days; 0 is for ever"
    )

    @property
    def shortest(self) -> dict[str, int]:
        """The least lengths, by the name of their setting."""
        return {"username_min_length": self.username_min_length, "password_min_length": self.password_min_length}

    @property
    def pin_life(self) -> timedelta:
        """The life of a PIN."""
        return timedelta(minutes=self.pin_minutes)
