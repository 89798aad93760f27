"""Diagnosis of an existing `flexisip.conf`."""

from pathlib import Path

import pytest

from flexiapi.flexisip.conf_doctor import Grade, examine
from flexiapi.flexisip.conf_fragment import PLACEHOLDER, Extra, fragment
from flexiapi.flexisip.releases import RELEASES, Release
from flexiapi.settings import Settings

DATA = Path(__file__).parents[1] / "data" / "flexisip"
APP = {"url": "https://api.example.org", "sip_domain": "sip.example.org"}
SETTINGS = Settings(
    app=APP,
    flexisip={"auth_replica": "/var/lib/flexiapi-sip/auth.sqlite"},
    push={"main": {"backend": "outbox"}},
)
NEWEST = Release(2, 6)
OPENID = {Extra.OPENID}
CONNECTED = "[global::flexiapi]\nurl=https://api.example.org\napi-key=the-key\n"


def told(text, grade=Grade.ERROR, release=NEWEST, settings=SETTINGS):
    return [finding.text for finding in examine(text, settings, release).findings if finding.grade is grade]


def called(text, release=NEWEST, settings=SETTINGS):
    return {call.name: where for call, where in examine(text, settings, release).calls if where}


@pytest.mark.parametrize("release", RELEASES, ids=str)
def test_what_config_prints_is_right(release):
    text = fragment(SETTINGS, release, "the-key", frozenset(Extra) - OPENID)
    assert (told(text, Grade.ERROR, release), told(text, Grade.WARNING, release)) == ([], [])
    made = {call.name for call, where in examine(text, SETTINGS, release).calls if where}
    assert made == {call.name for call, _ in examine(text, SETTINGS, release).calls} - {"domains"}


def test_what_config_prints_for_openid_is_right_without_sign_in_by_password():
    text = fragment(Settings(app=APP), Release(2, 6), "the-key", frozenset(OPENID))
    assert told(text) == []
    assert called(text)["domains"] == "https://api.example.org/api/spaces"


def test_a_dumped_file_says_its_version():
    examined = examine((DATA / "2.4.conf").read_text(), SETTINGS)
    assert examined.release == Release(2, 4)
    assert [finding.grade for finding in examined.findings] == [Grade.NOTE]
    assert [(call.name, where) for call, where in examined.calls] == [
        ("event log", "https://api.example.org:443/api/stats/")
    ]
    assert [(key.setting, key.value) for key in examined.keys] == [("[event-logs] flexiapi-api-key", "key-of-2.4")]
    assert "key-of" not in repr(examined)


def test_the_default_that_a_dump_leaves_out_goes_before_the_address():
    examined = examine((DATA / "2.6.conf").read_text(), SETTINGS)
    assert examined.release == Release(2, 6)
    errors = [finding for finding in examined.findings if finding.grade is Grade.ERROR]
    assert ["localhost unless it is set" in error.text for error in errors][:1] == [True]
    warnings = [finding.text for finding in examined.findings if finding.grade is Grade.WARNING]
    assert any("lacks SHA-256" in text for text in warnings)
    assert {call.name: where for call, where in examined.calls if where} == {
        "event log": "https://localhost:443/api/stats/",
        "call forwarding": "https://api.example.org/api/resolve/USER@DOMAIN",
    }


def test_without_a_version_it_is_a_file_of_2_6():
    examined = examine("[global]\n", SETTINGS)
    assert examined.release == Release(2, 6)
    assert "--flexisip names another version" in examined.findings[0].text


EVENT_LOG = "[event-logs]\nenabled=true\nlogger=flexiapi\n"
AUTHORIZATION = "[module::Authorization]\nenabled=true\n"


@pytest.mark.parametrize(
    ("text", "release", "wrong"),
    [
        (EVENT_LOG + CONNECTED, "2.6", "is localhost unless it is set"),
        (EVENT_LOG + "flexiapi-host=\n", "2.6", "needs url and api-key in [global::flexiapi]"),
        (EVENT_LOG + "flexiapi-host=\nflexiapi-prefix=/api/log/\n" + CONNECTED, "2.6", "below /api/statistics/"),
        (EVENT_LOG + "flexiapi-host=https://api.example.org\n", "2.5", "takes a host name, not a URL"),
        (EVENT_LOG + "flexiapi-host=api.example.org\n", "2.5", "flexiapi-api-key: is missing"),
        (EVENT_LOG + "flexiapi-host=api.example.org\n", "2.3", "flexiapi-token: is missing"),
        (CONNECTED.replace("https:", "http:"), "2.6", "has to be https://"),
        (CONNECTED.replace("https://", ""), "2.6", "has to be https://"),
        (CONNECTED.replace("api.example.org", "[x"), "2.6", "has to be https://"),
        (CONNECTED.replace("org", "org/api"), "2.6", "has the path /api, and this server has no path before /api/"),
        (CONNECTED.replace("the-key", ""), "2.6", "api-key: is missing; `flexiapi api-keys create"),
        (CONNECTED.replace("the-key", PLACEHOLDER), "2.6", "api-key: is missing"),
        ("[global]\nadvanced-account-data=flexiapi\n", "2.6", "needs url and api-key"),
        ("[module::PushNotification]\nexternal-push-flexiapi=true\n", "2.6", "needs url and api-key"),
        ("[module::Router]\nvoicemail-server=sip:127.0.0.1:6066;transport=tcp\n", "2.6", "needs url and api-key"),
        (AUTHORIZATION + "auth-domains-mode=flexiapi\n", "2.6", "needs url and api-key"),
        (AUTHORIZATION + "auth-domains-mode=dynamic\n", "2.6", "is flexiapi, static or legacy"),
        (AUTHORIZATION + "[module::Authentication]\nenabled=true\n", "2.6", "refuses every request"),
        (AUTHORIZATION + "account-manager-host=api.example.org\n", "2.5", "account-manager-api-key: is missing"),
        (CONNECTED + CONNECTED, "2.6", "a second time, after line 2"),
    ],
    ids=lambda value: value[-25:].replace("\n", "|").replace("/", "."),
)
def test_what_makes_calls_fail_is_an_error(text, release, wrong):
    errors = told(text, release=Release(*map(int, release.split("."))))
    assert any(wrong in error for error in errors), errors


@pytest.mark.parametrize(
    ("text", "release", "doubtful"),
    [
        (EVENT_LOG + "flexiapi-host=api.example.org\n" + CONNECTED, "2.6", "is deprecated, and goes before"),
        (EVENT_LOG + "flexiapi-host=sip.example.org\nflexiapi-api-key=k\n", "2.5", "has api.example.org"),
        (CONNECTED.replace("api.", "other."), "2.6", "is other.example.org, and app.url of this server"),
        (AUTHORIZATION + "account-manager-host=api.example.org\n", "2.6", "is the way of 2.5"),
        ("[module::Router]\nenable-call-diversions=true\n", "2.6", "has no effect without advanced-account-data"),
        ("[global]\nadvanced-account-data=flexiapi\n" + CONNECTED, "2.6", "without enable-call-diversions=true"),
        ("[module::Router]\nvoicemail-server=sip:10.0.0.1:6066\n" + CONNECTED, "2.6", "and [voicemail-server] listens"),
        ("[module::Router]\nenable-call-diversions=true\n", "2.5", "Flexisip 2.6 brought it, 2.5 does not know it"),
        (CONNECTED, "2.5", "Flexisip 2.6 brought it, 2.5 does not know it"),
        ("[global:flexiapi]\nurl=https://x\n", "2.6", "[global::flexiapi] may be meant"),
        ("[event-logs]\nflexiapi-apikey=x\n", "2.6", "flexiapi-api-key may be meant"),
        ("[global::flexiapi]\ntimeout=3\n", "2.6", "Flexisip has no such setting"),
        ("[module::Router]\nenable-call-diversion=true\n", "2.6", "enable-call-diversions may be meant"),
        ("[module::Authentication]\nenabled=true\n", "2.6", "lacks SHA-256"),
        (
            "[module::Authentication]\nenabled=true\ndb-implementation=soci\nsoci-backend=sqlite3\n",
            "2.6",
            "does not name /var/lib/flexiapi-sip/auth.sqlite",
        ),
    ],
    ids=lambda value: value[-25:].replace("\n", "|").replace("/", "."),
)
def test_what_looks_unmeant_is_a_warning(text, release, doubtful):
    warnings = told(text, Grade.WARNING, Release(*map(int, release.split("."))))
    assert any(doubtful in warning for warning in warnings), warnings


def test_a_path_is_told_for_uploads_and_has_to_be_ours():
    settings = Settings(app={**APP, "url": "https://api.example.org/fam"})
    text = CONNECTED.replace("org", "org/fam") + "[module::Router]\nvoicemail-server=sip:127.0.0.1:6066;transport=tcp\n"
    assert told(text, settings=settings) == []
    assert any(
        "before the path of upload_url too" in warning for warning in told(text, Grade.WARNING, settings=settings)
    )
    assert any("and this server has /fam before" in error for error in told(CONNECTED, settings=settings))


def test_a_recording_has_to_fit_into_the_limit_of_this_server():
    text = CONNECTED + "[module::Router]\nvoicemail-server=sip:127.0.0.1:6066;transport=tcp\n[voicemail-server]\n"
    assert told(text + "max-voicemail-duration=120s\n") == []
    assert any("Flexisip records nothing" in error for error in told(text + "max-voicemail-duration=600\n"))


def test_reports_that_are_not_kept_are_noted():
    text = CONNECTED + EVENT_LOG + "flexiapi-host=\n"
    assert any("answered, and not kept" in note for note in told(text, Grade.NOTE))
    kept = Settings(app=APP, statistics={"days": 30})
    assert not any("not kept" in note for note in told(text, Grade.NOTE, settings=kept))


def test_pushes_need_a_backend_of_this_server():
    text = CONNECTED + "[module::PushNotification]\nexternal-push-flexiapi=true\n"
    assert called(text) == {"push notifications": "https://api.example.org/api/push_notification"}
    assert any("has no push backend" in error for error in told(text, settings=Settings(app=APP)))


def test_diversions_note_what_482_is_and_is_not():
    text = CONNECTED + "[global]\nadvanced-account-data=flexiapi\n[module::Router]\nenable-call-diversions=true\n"
    notes = told(text, Grade.NOTE)
    assert any("voicemail ends the call with 482" in note for note in notes)
    assert any("issues/262" in note for note in notes)


def test_errors_come_first_and_have_their_lines():
    examined = examine("[global::flexiapi]\nurl=http://api.example.org\ntimeout=1\n", SETTINGS)
    assert [(finding.grade, finding.line) for finding in examined.findings] == [
        (Grade.ERROR, 1),
        (Grade.ERROR, 2),
        (Grade.WARNING, 3),
        (Grade.NOTE, None),
    ]


@pytest.mark.parametrize("text", ["", "[", "=", "[global::flexiapi]\nurl=https://[::1\n", "\0\n[event-logs]\nenabled"])
def test_any_file_is_examined(text):
    assert examine(text, SETTINGS).findings
