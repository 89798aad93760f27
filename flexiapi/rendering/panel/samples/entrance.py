"""Samples of pages that need no session."""

from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.pages import Captcha
from flexiapi.rendering.panel.entrance import (
    AboutPage,
    AccountFormPage,
    CheckedFormPage,
    CodePage,
    ConfirmPage,
    HandOverPage,
    LetInPage,
    LoginPage,
    ManualPage,
    QrPage,
    RecoveryCodePage,
    SignUpPage,
)
from flexiapi.rendering.panel.frame import FormLink, PanelPage
from flexiapi.rendering.panel.samples.surroundings import ADDRESS, BUTTON, ENTRANCE, FORM, FRAME

CAPTCHA = Captcha("site-key", "https://captcha.example.org/api.js", "g-recaptcha")

PAGES: tuple[PanelPage, ...] = (
    LoginPage(ENTRANCE, FORM),
    LoginPage(ENTRANCE, FORM, registers=True, has_phone=True, command="flexiapi accounts create-admin first.admin"),
    ConfirmPage(FRAME, FORM),
    ConfirmPage(FRAME, FORM, has_password=False),
    ConfirmPage(FRAME, BUTTON, has_password=False, sends_code=True),
    CheckedFormPage(ENTRANCE, FORM, ["A paragraph."], [FormLink("/login", marked("Sign in"))], CAPTCHA),
    CheckedFormPage(ENTRANCE, FORM),
    SignUpPage(ENTRANCE, FORM, terms_url="https://www.example.org/terms", privacy_url="https://www.example.org/me"),
    SignUpPage(ENTRANCE, FORM, captcha=CAPTCHA),
    CodePage(FRAME, ADDRESS, "alice@example.org", FORM, BUTTON, BUTTON),
    CodePage(FRAME, ADDRESS, "+33612345678", FORM, BUTTON, BUTTON, 2, 42),
    CodePage(FRAME, ADDRESS, "", FORM, BUTTON, None),
    RecoveryCodePage(ENTRANCE, "alice@example.org", FORM, BUTTON),
    RecoveryCodePage(ENTRANCE, "+33612345678", FORM, BUTTON, is_linked=True),
    AccountFormPage(ENTRANCE, ADDRESS, FORM, ["A paragraph."], [FormLink("/activate", marked("Back to the sign-in"))]),
    QrPage(ENTRANCE, "data:image/png;base64,AAAA", 42, "/authenticate/qrcode/NoPq/state", BUTTON),
    QrPage(ENTRANCE, "", 42, "/authenticate/qrcode/NoPq/state", BUTTON, ADDRESS),
    LetInPage(FRAME, "Firefox", "Linux", "192.0.2.1", FORM, BUTTON),
    LetInPage(FRAME, None, None, "192.0.2.1", FORM, BUTTON),
    HandOverPage(FRAME, BUTTON),
    HandOverPage(FRAME, BUTTON, "data:image/png;base64,AAAA", "https://accounts.example.org/auth_tokens/auth/NoPq"),
    ManualPage(ENTRANCE),
    ManualPage(FRAME, registers=True, has_phone=True, has_devices=True),
    AboutPage(ENTRANCE, "2.7.1", [("tornado", "6.6", "Apache-2.0")]),
)
