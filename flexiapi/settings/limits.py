"""Limits of requests, codes and messages, and the budgets of SMS."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from flexiapi.settings.values import Networks, PhonePrefix, PhonePrefixes, SettingsSection

MOST_SMS = 1_000_000_000


class LimitSettings(SettingsSection):
    """Rate limits. 0 switches one off."""

    requests_per_minute: int = Field(
        600, ge=0, description="requests per IP address and minute, to the API and to pages and files without a sign-in"
    )
    exempt_networks: Networks = Field(
        (), description="networks without that limit of requests, such as Flexisip's hosts; the other limits count"
    )
    anonymous_tokens_per_minute: int = Field(
        60, ge=0, description="auth tokens and creation request tokens made per IP address and minute"
    )
    messages_per_minute: int = Field(60, ge=0, description="push, SMS and mail caused per IP address and minute")
    sms_per_minute: int = Field(1, ge=0, description="SMS to one number per minute")
    sms_per_hour: int = Field(5, ge=0, description="SMS to one number per hour")
    sms_per_day: int = Field(10, ge=0, description="SMS to one number per day")
    sms_per_number_and_network: int = Field(
        4, ge=0, description="SMS to one number per day that one network (IP address, IPv6 /64) asks for"
    )
    sms_per_network: int = Field(30, ge=0, description="SMS per day that one network asks for, over all numbers")
    sms_total_per_day: int = Field(
        0, ge=0, le=MOST_SMS, description="SMS and calls with a code per day, over all numbers"
    )
    sms_by_prefix: dict[PhonePrefix, Annotated[int, Field(ge=0, le=MOST_SMS)]] = Field(
        default_factory=dict,
        description='SMS and calls per day to numbers that begin with a prefix, as in { "+33" = 1000, "+" = 50 }; of '
        "several prefixes the longest counts, and + is that of every number",
    )
    sms_allowed_prefixes: PhonePrefixes = Field(
        (), description="prefixes of numbers that get SMS; by default all. A longer prefix that is denied counts more"
    )
    sms_denied_prefixes: PhonePrefixes = Field(
        (), description="prefixes of numbers that get no SMS. A longer prefix that is allowed counts more"
    )
    mails_per_hour: int = Field(10, ge=0, description="mails with a code to one address per hour")
    codes_per_account: int = Field(10, ge=0, description="codes that an account may have sent per hour")
    tests_per_hour: int = Field(
        10, ge=0, description="test pushes, and as many test messages, that an account may send to its phones per hour"
    )
    exports_per_hour: int = Field(5, ge=0, description="exports of all its data that an account may have made per hour")
    wrong_codes_per_day: int = Field(
        20, ge=0, description="tries of PINs per account and day without a sign-in, over all networks"
    )
    wrong_codes_per_network: int = Field(8, ge=0, description="those tries per account and day from one network")
    wrong_codes_per_hour: int = Field(200, ge=0, description="wrong PINs, keys and tokens per IP address and hour")
    qr_sign_ins_per_account: int = Field(
        5, ge=0, description="browsers per account and hour that a person may sign in by confirming their QR code"
    )
    failed_sign_ins_per_minute: int = Field(
        60,
        ge=0,
        description="failed sign-ins (password or key) per IP address and minute; a right key still passes then, and a "
        "right password until there are ten times as many",
    )
    failed_sign_ins_per_account: int = Field(
        60,
        ge=0,
        description="failed sign-ins per account, IP address and hour; then not even the right password passes from "
        "there, but other addresses are not locked out",
    )

    @model_validator(mode="after")
    def _is_unambiguous(self) -> Self:
        if both := set(self.sms_allowed_prefixes).intersection(self.sms_denied_prefixes):
            raise ValueError(f"{min(both)} is in sms_allowed_prefixes and in sms_denied_prefixes: remove it from one")
        return self
