"""Sample values of every template, with and without optional ones, which `flexiapi check` renders."""

from datetime import UTC, datetime, timedelta

from flexiapi.rendering import messages, pages, reference

_ADDRESS = "alice.martin@sip.example.org"
_WHEN = datetime(2026, 11, 1, 9, 5, tzinfo=UTC)
_PIN_LIFE = timedelta(minutes=10)
_ROOT = "https://accounts.example.org"

MAILS: tuple[messages.Mail, ...] = (
    messages.AccountConfirmationMail(_ADDRESS, "WATD-MY7P-TD4CZ", timedelta(hours=24), f"{_ROOT}/confirm?a=1&b=2"),
    messages.AccountConfirmationMail(_ADDRESS, "WATD-MY7P-TD4CZ", None),
    messages.AccountRecoveryMail(
        _ADDRESS,
        "WATD-MY7P-TD4CZ",
        f"{_ROOT}/provisioning/NoPqRsTuVwXyZ?reset_password=1",
        f"{_ROOT}/provisioning/qrcode/NoPqRsTuVwXyZ?reset_password=1",
        f"{_ROOT}/setup/NoPqRsTuVwXyZ?reset_password=1",
        timedelta(hours=1),
    ),
    messages.AccountRecoveryMail(
        _ADDRESS,
        "WATD-MY7P-TD4CZ",
        f"{_ROOT}/provisioning/NoPqRsTuVwXyZ?reset_password=1",
        f"{_ROOT}/provisioning/qrcode/NoPqRsTuVwXyZ?reset_password=1",
        f"{_ROOT}/setup/NoPqRsTuVwXyZ?reset_password=1",
        None,
    ),
    messages.ProvisioningMail(
        _ADDRESS, f"{_ROOT}/provisioning/qrcode/NoPqRsTuVwXyZ", f"{_ROOT}/setup/NoPqRsTuVwXyZ", timedelta(hours=24)
    ),
    messages.ProvisioningMail(
        _ADDRESS, f"{_ROOT}/provisioning/qrcode/NoPqRsTuVwXyZ", f"{_ROOT}/setup/NoPqRsTuVwXyZ", None
    ),
    messages.InvitationMail(
        "sip.example.org", f"{_ROOT}/register?token=NoPqRsTuVwXyZ", "NoPqRsTuVwXyZ", timedelta(days=7)
    ),
    messages.EmailChangeMail(_ADDRESS, "0123", _PIN_LIFE),
    messages.EmailChangeMail(_ADDRESS, "0123", _PIN_LIFE, f"{_ROOT}/email/validate?code=0123"),
    messages.PasswordSetMail(
        _ADDRESS, "alice.martin", "sip.example.org", "sip.example.org", "TLS, TCP or UDP", "Welcome to our house."
    ),
    messages.PasswordSetMail(_ADDRESS, "alice.martin", "sip.example.org"),
    messages.PasswordResetMail(
        _ADDRESS, f"{_ROOT}/reset_password/NoPq", timedelta(hours=24), "WATD-MY7P-TD4CZ", timedelta(hours=1)
    ),
    messages.PasswordResetMail(_ADDRESS, f"{_ROOT}/reset_password/NoPq", timedelta(hours=24), "WATD-MY7P-TD4CZ"),
    messages.PasswordResetMail(_ADDRESS, f"{_ROOT}/reset_password/NoPq", timedelta(hours=24)),
    messages.PasswordChangedMail(_ADDRESS, _WHEN),
    messages.EmailChangedMail(_ADDRESS, _WHEN),
    messages.PhoneChangedMail(_ADDRESS, _WHEN),
    messages.AccountRecoveredMail(_ADDRESS, _WHEN),
    messages.NewSignInMail(_ADDRESS, _WHEN, "192.0.2.7", f"{_ROOT}/sessions", "Firefox", "Linux"),
    messages.NewSignInMail(_ADDRESS, _WHEN, "192.0.2.7", f"{_ROOT}/sessions", "Firefox"),
    messages.NewSignInMail(_ADDRESS, _WHEN, "192.0.2.7", f"{_ROOT}/sessions"),
    messages.ApiKeyMadeMail(_ADDRESS, _WHEN),
    messages.NamedKeyMadeMail(_ADDRESS, _WHEN, "Billing", "push, accounts:read"),
    messages.SessionsEndedMail(_ADDRESS, _WHEN, 1),
    messages.SessionsEndedMail(_ADDRESS, _WHEN, 3),
    messages.AccountDeletedMail(_ADDRESS, _WHEN),
    messages.VoicemailMail(_ADDRESS, "bob@sip.example.org", _WHEN, f"{_ROOT}/voicemail"),
    messages.VoicemailMail(_ADDRESS, None, _WHEN, f"{_ROOT}/voicemail"),
    messages.OperatorMail("sip.example.org", "am1.example.org", "The backend [sms.main] rests after failures."),
)

SMS: tuple[messages.Sms, ...] = (
    messages.AccountConfirmationSms("0123", _PIN_LIFE),
    messages.AccountConfirmationSms("0123", _PIN_LIFE, link=f"{_ROOT}/activate/alice.martin/0123"),
    messages.AccountRecoverySms("0123", _PIN_LIFE),
    messages.AccountRecoverySms("0123", _PIN_LIFE, link=f"{_ROOT}/recover/+33612345678/0123"),
    messages.PhoneChangeSms("0123", _PIN_LIFE),
    messages.PhoneChangeSms("0123", _PIN_LIFE, link=f"{_ROOT}/phone/validate?code=0123"),
)

PAGES: tuple[pages.Page, ...] = (
    pages.CreationTokenCheckPage("bm9uY2U", "../validate", "NoPqRsTuVwXyZ", "csrf"),
    pages.CreationTokenCheckPage(
        "bm9uY2U",
        "validate",
        "NoPqRsTuVwXyZ",
        "csrf",
        pages.Captcha("site-key", "https://captcha.example.org/api.js", "g-recaptcha"),
        "Please try again.",
    ),
    pages.CreationTokenValidatedPage("bm9uY2U"),
    pages.HomePage("bm9uY2U"),
    pages.SetupPage(
        "bm9uY2U",
        _ADDRESS,
        f"{_ROOT}/provisioning/NoPqRsTuVwXyZ?reset_password=1",
        "data:image/png;base64,AAAA",
        f"linphone-config:{_ROOT}/provisioning/NoPqRsTuVwXyZ?reset_password=1",
        resets_password=True,
    ),
    pages.SetupPage(
        "bm9uY2U", _ADDRESS, f"{_ROOT}/provisioning/NoPqRsTuVwXyZ", "data:image/png;base64,AAAA", app_link=None
    ),
    pages.ErrorPage("bm9uY2U", "This link does not work any more", "Go back to the app and start again."),
    pages.DocumentationPage(
        "bm9uY2U",
        _ROOT,
        "sip.example.org",
        [
            reference.ReferenceSection(
                "accounts",
                "Accounts",
                "All of them.",
                [
                    reference.ReferenceEndpoint(
                        "postAccounts",
                        "POST",
                        "/api/accounts",
                        "Admin",
                        "Create an account.",
                        "It is `activated` later.",
                        True,
                        [reference.ReferenceParameter("username", "body", "string", True, "unique", "alice.martin")],
                        f"curl -X POST {_ROOT}/api/accounts",
                        "200",
                        "application/json",
                        "{}",
                        [reference.ReferenceFailure("403", "Known, and not allowed.")],
                    )
                ],
            )
        ],
        [reference.ReferenceLife("`auth_token`", "5 minutes")],
    ),
)
