"""The forms about an account: its creation and its values."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, Literal, cast

from flexiapi.model import Account, Algorithm, DtmfProtocol, Space
from flexiapi.panel.admin.days import Day
from flexiapi.panel.forms import Form, Input
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.forms import Choice
from flexiapi.services import fields
from flexiapi.services.accounts import AccountDetails, Amendments, random_password

Role = Literal["end_user", "admin"]

ROLES = (Choice("end_user", marked("User")), Choice("admin", marked("Administrator")))
DTMF = (
    Choice("", marked("None")),
    Choice("sipinfo", "SIP INFO"),
    Choice("rfc2833", "RFC 2833"),
    Choice("sipmessage", "SIP MESSAGE"),
)

DisplayName = Annotated[fields.DisplayName | None, Input(marked("Display name"))]
Email = Annotated[fields.Email | None, Input(marked("E-mail address"), kind="email")]
Phone = Annotated[
    fields.TypedPhone | None,
    Input(marked("Phone number"), kind="tel", hint=marked("With the code of the country, such as +33 6 12 34 56 78")),
]
RoleField = Annotated[Role, Input(marked("Role"), kind="select", choices=ROLES)]
DtmfField = Annotated[fields.DtmfProtocol | None, Input(marked("DTMF protocol"), kind="select", choices=DTMF)]
Language = Annotated[
    fields.LanguageTag | None,
    Input(marked("Language"), hint=marked("Of mails and texts, such as en or fr")),
]
DomainField = Annotated[
    fields.Domain | None,
    Input(marked("Domain"), hint=marked("Without one it is that of this service")),
]


class AccountEditForm(Form):
    """The values of an account."""

    submit = marked("Save")

    username: Annotated[fields.ExistingUsername, Input(marked("User name"))]
    domain: Annotated[fields.Domain | None, Input(marked("Domain"))] = None
    display_name: DisplayName = None
    email: Email = None
    phone: Phone = None
    password: Annotated[
        fields.PasswordOfDomain | None,
        Input(
            marked("New password"),
            kind="password",
            autocomplete="new-password",
            hint=marked("Leave it empty to keep the password. Another user name or domain needs one."),
        ),
    ] = None
    role: RoleField
    dtmf_protocol: DtmfField = None
    language: Language = None
    before: Annotated[fields.Text | None, Input("", kind="hidden")] = None

    def amendments(self, account: Account, space: Space) -> Amendments:
        """Return the values that were changed on the page; what others changed since it was opened stays."""
        wanted: dict[str, Any] = {**_given(self), "role": self.role}
        if space.may_name_domains and self.domain:
            wanted["domain"] = self.domain
        before = {**values_of(account), **_shown_before(self.before)}
        changed = {name: value for name, value in wanted.items() if value != before[name]}
        if "role" in changed:
            changed["admin"] = changed.pop("role") == "admin"
        if self.password:
            changed |= {"password": self.password, "algorithm": Algorithm.SHA_256}
        return cast("Amendments", changed)


class AccountCreationForm(Form):
    """A new account."""

    submit = marked("Create the account")

    username: Annotated[fields.UsernameOfDomain, Input(marked("User name"))]
    domain: DomainField = None
    display_name: DisplayName = None
    email: Email = None
    phone: Phone = None
    password: Annotated[
        fields.PasswordOfDomain | None,
        Input(
            marked("Password"),
            kind="password",
            autocomplete="new-password",
            hint=marked("Leave it empty for a random one. Phones are set up by a link, without typing it."),
        ),
    ] = None
    algorithm: Annotated[
        fields.Algorithm | None,
        Input(
            marked("Hash of the password"),
            kind="select",
            choices=(Choice("SHA-256", "SHA-256"), Choice("MD5", marked("MD5, for old programs"))),
        ),
    ] = None
    role: RoleField = "end_user"
    dtmf_protocol: DtmfField = None
    language: Language = None
    activated: Annotated[
        fields.Flag,
        Input(
            marked("Activate it now"),
            kind="checkbox",
            hint=marked("Otherwise the use of its link activates it."),
        ),
    ] = False
    expires: Annotated[
        Day,
        Input(
            marked("Last day for the activation"),
            kind="date",
            hint=marked("Only for an account that is not activated now. Without a day it does not expire."),
        ),
    ] = None

    def details(self, space: Space) -> AccountDetails:
        """Return the new account."""
        return AccountDetails(
            **_given(self),
            password=self.password or random_password(),
            algorithm=self.algorithm or Algorithm.SHA_256,
            domain=self.domain if space.may_name_domains else None,
            admin=self.role == "admin",
        )

    @property
    def expires_at(self) -> datetime | None:
        """The end of the last day for the activation."""
        if self.expires is None or self.activated:
            return None
        return datetime.combine(self.expires + timedelta(days=1), time(), UTC)


def _given(form: AccountEditForm | AccountCreationForm) -> dict[str, Any]:
    names = ("username", "display_name", "email", "phone", "dtmf_protocol", "language")
    return {name: getattr(form, name) for name in names}


def form_values(account: Account) -> Mapping[str, Any]:
    """Return the values of an account for its form, which also remembers them as they are."""
    values = values_of(account)
    return {**values, "before": json.dumps(values)}


def _shown_before(text: str | None) -> Mapping[str, Any]:
    """Return the values that a form had when it was opened. Another text only decides what is written anew."""
    try:
        values = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def values_of(account: Account) -> Mapping[str, Any]:
    """Return the values of an account that administrators set."""
    return {
        "username": account.username,
        "domain": account.domain,
        "display_name": account.display_name,
        "email": account.email,
        "phone": account.phone,
        "role": "admin" if account.is_admin else "end_user",
        "dtmf_protocol": None if account.dtmf_protocol is None else DtmfProtocol(account.dtmf_protocol),
        "language": account.language,
    }
