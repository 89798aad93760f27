"""The documents, as a phone reads them."""

import hashlib

import pytest
from structlog.testing import capture_logs

from flexiapi.errors import ProvisioningFailed
from flexiapi.model import Algorithm, ExternalAccount, Password
from flexiapi.provisioning.discovery import Hooks
from flexiapi.provisioning.hooks import ProvisioningHook
from flexiapi.provisioning.provisioning import ProvisioningDocuments
from flexiapi.settings import AccountSettings as Settings

CONTACTS = "https://am.example.org/contacts/vcard"
MISC = ("misc", [("contacts-vcard-list", CONTACTS, False)])


@pytest.fixture
def server(tmp_path):
    def made(rc=None, hooks=None, ui=(), **settings):
        path = tmp_path / "base.rc"
        if rc is not None:
            path.write_text(rc)
        return ProvisioningDocuments(Settings(provisioning_rc_file=path, **settings), CONTACTS, Hooks(hooks), ui)

    return made


def entries(sections, name):
    found = [{key: value for key, value, _ in entries} for section, entries in sections if section == name]
    assert len(found) == 1
    return found[0]


def ha1(algorithm, text):
    return hashlib.new(algorithm, text.encode()).hexdigest()


def test_without_account_and_file(server, read):
    assert read(server().base()) == [MISC]


DOCUMENTED = f"""\
<config xmlns="http://www.linphone.org/xsds/lpconfig.xsd">\
<section name="misc"><entry name="contacts-vcard-list">https://am.example.org/contacts/vcard</entry></section>\
<section name="proxy_0">\
<entry name="reg_identity">"Foo Bar" &lt;sip:foobar@sip.example.org&gt;</entry>\
<entry name="reg_sendregister">1</entry>\
<entry name="refkey">push_notification</entry>\
<entry name="reg_proxy">&lt;sip:sip.example.org;transport=tls&gt;</entry>\
</section>\
<section name="auth_info_0">\
<entry name="username">foobar</entry>\
<entry name="domain">sip.example.org</entry>\
<entry name="ha1">{"b" * 64}</entry>\
<entry name="realm">sip.example.org</entry>\
<entry name="algorithm">SHA-256</entry>\
</section>\
</config>"""


def test_the_documented_example(server, account):
    assert server().of(account()).decode() == DOCUMENTED


def test_the_base_file_comes_first_and_is_read_again(server, read, tmp_path):
    provisioning = server("[sip]\nmedia_encryption=srtp\n[misc]\nuuid=1\n")
    sip, misc = ("sip", [("media_encryption", "srtp", False)]), ("misc", [("uuid", "1", False)])
    assert read(provisioning.base()) == [sip, misc, MISC]
    (tmp_path / "base.rc").write_text("[sip]\nmedia_encryption=zrtp\n")
    assert read(provisioning.base()) == [("sip", [("media_encryption", "zrtp", False)]), MISC]


def test_a_base_proxy_is_merged_and_wins(server, read, account):
    rc = "[net]\nmtu=1300\n[proxy_0]\nreg_proxy=<sip:sip.example.org;transport=tls>\nrefkey=mine\n[sip]\na=b\n"
    sections = read(server(rc).of(account()))
    assert [name for name, _ in sections] == ["net", "proxy_0", "sip", "misc", "auth_info_0"]
    assert entries(sections, "proxy_0") == {
        "reg_proxy": "<sip:sip.example.org;transport=tls>",
        "refkey": "mine",
        "reg_identity": '"Foo Bar" <sip:foobar@sip.example.org>',
        "reg_sendregister": "1",
    }


DEFAULTS = "[proxy_default_values]\nreg_proxy=<sip:one.example.org>\nreg_route=<sip:edge>\nreg_expires=600\nrefkey=a\n"


class TestAnAccountIsWholeForLiblinphone53:
    """liblinphone 5.3 takes nothing of `proxy_default_values` and makes no account without `reg_proxy`."""

    def test_the_default_values_stand_in_the_account(self, server, read, account):
        sections = read(server(DEFAULTS + "[proxy_0]\nreg_expires=60\n").of(account()))
        proxy = entries(sections, "proxy_0")
        assert proxy["reg_proxy"] == "<sip:one.example.org>"
        assert (proxy["reg_route"], proxy["reg_expires"], proxy["refkey"]) == ("<sip:edge>", "60", "push_notification")
        assert entries(sections, "proxy_default_values")["reg_expires"] == "600"

    @pytest.mark.parametrize(
        ("settings", "uri"),
        [
            ({}, "<sip:sip.example.org;transport=tls>"),
            ({"proxy_registrar_address": "edge.example.org"}, "<sip:edge.example.org;transport=tls>"),
            (
                {"proxy_registrar_address": "edge.example.org:5060", "transport_protocol_text": "UDP or TCP"},
                "<sip:edge.example.org:5060;transport=udp>",
            ),
            ({"proxy_registrar_address": "sip:[2001:db8::1]:5061"}, "<sip:[2001:db8::1]:5061;transport=tls>"),
            ({"proxy_registrar_address": "<sip:e.example.org;transport=tcp>"}, "<sip:e.example.org;transport=tcp>"),
            ({"proxy_registrar_address": "sips:e.example.org"}, "<sips:e.example.org>"),
            ({"proxy_registrar_address": "e", "transport_protocol_text": "whatever"}, "<sip:e;transport=tls>"),
            ({"proxy_registrar_address": "ask your provider"}, "<sip:sip.example.org;transport=tls>"),
        ],
    )
    def test_without_a_server_in_the_base_file_the_settings_name_it(self, server, read, account, settings, uri):
        for rc in ("", "[proxy_default_values]\nreg_proxy=\n[proxy_0]\nreg_proxy= \n"):
            assert entries(read(server(rc, **settings).of(account())), "proxy_0")["reg_proxy"] == uri

    def test_a_base_proxy_is_held_back_until_there_is_an_account(self, server, read, account):
        rc = (
            "[proxy_0]\nreg_proxy=<sip:one>\n[proxy_1]\nreg_expires=60\n[proxy_2]\nreg_identity=<sip:all@example.org>\n"
        )
        for hooks in (None, {"recording": Recording()}):
            provisioning = server(rc, hooks)
            names = [name for name, _ in read(provisioning.base())]
            assert [name for name in names if name.startswith("proxy_")] == ["proxy_2"]
            names = [name for name, _ in read(provisioning.of(account()))]
            assert [name for name in names if name.startswith("proxy_")] == ["proxy_0", "proxy_2"]

    def test_an_identity_in_the_base_file_alone_makes_no_account(self, server, read):
        rc = "[proxy_config_0]\na=b\n[proxy_0]\nreg_identity=<sip:a@example.org>\n[proxy_1]\nreg_identity=<sip:b@c>\n"
        assert [name for name, _ in read(server(rc).base())] == ["proxy_config_0", "misc"]

    def test_hooks_win_over_what_is_filled_in(self, server, read, account):
        class Late(ProvisioningHook):
            def proxy(self, section, request, account):
                section.add("reg_expires", "60")

            def additional_section(self, document, request, account):
                document.section("proxy_0").add("reg_proxy", "<sip:two>")
                document.add("proxy_default_values").add("publish", "1")

        rc = "[proxy_default_values]\nreg_proxy=<sip:one>\nreg_expires=600\n"
        sections = read(server(rc, {"late": Late()}).of(account()))
        proxy = entries(sections, "proxy_0")
        assert (proxy["reg_proxy"], proxy["reg_expires"], proxy["publish"]) == ("<sip:two>", "60", "1")

    def test_a_hook_may_remove_the_account(self, server, read, account):
        class Removing(ProvisioningHook):
            def additional_section(self, document, request, account):
                document.sections = [one for one in document.sections if not one.name.startswith("proxy_")]

        assert [name for name, _ in read(server("", {"removing": Removing()}).of(account()))] == ["misc", "auth_info_0"]

    def test_an_account_on_another_server_does_not_register_here(self, server, read, account):
        external = ExternalAccount("outside", "pbx.example.com", "gold", "c" * 32, Algorithm.MD5)
        proxy = entries(read(server(DEFAULTS).of(account(external_account=external))), "proxy_1")
        assert proxy["reg_proxy"] == "<sip:pbx.example.com;transport=tls>"
        assert proxy["reg_expires"] == "600"
        assert "reg_route" not in proxy

    def test_filled_in_entries_overwrite_with_all_others(self, server, read, account):
        for hooks in (None, {"recording": Recording()}):
            sections = read(server("", hooks, provisioning_overwrite_all=True).of(account()))
            assert all(overwrite for _, listed in sections for _, _, overwrite in listed)


def test_one_document_does_not_leak_into_the_next(server, account):
    provisioning = server("[proxy_0]\nreg_proxy=<sip:sip.example.org>\n")
    before = provisioning.base()
    alice = provisioning.of(account())
    assert b"bobbob" in provisioning.of(account(username="bobbob"))
    assert provisioning.of(account()) == alice
    assert provisioning.base() == before


def test_overwriting_everything(server, read, account):
    rc = "[proxy_0]\nreg_identity=<sip:nobody@example.org>\nreg_proxy=<sip:sip.example.org>\n"
    sections = read(server(rc, provisioning_overwrite_all=True).of(account()))
    assert all(overwrite for _, listed in sections for _, _, overwrite in listed)
    assert entries(sections, "proxy_0")["reg_identity"] == '"Foo Bar" <sip:foobar@sip.example.org>'


def test_numbering_follows_the_base_file(server, read, account):
    rc = "[auth_info_0]\nusername=a\n[auth_info_1]\nusername=b\n[proxy_config_0]\na=b\n[proxy_default_values]\na=b\n"
    names = [name for name, _ in read(server(rc).of(account()))]
    assert names[-2:] == ["proxy_1", "auth_info_2"]


def test_one_credential_per_stored_hash(server, read, account):
    passwords = (Password(Algorithm.MD5, "a" * 32), Password(Algorithm.SHA_256, "b" * 64))
    sections = read(server(realm="Example realm").of(account(passwords=passwords)))
    assert entries(sections, "auth_info_0") == {
        "username": "foobar",
        "domain": "sip.example.org",
        "ha1": "a" * 32,
        "realm": "Example realm",
        "algorithm": "MD5",
    }
    assert entries(sections, "auth_info_1")["algorithm"] == "SHA-256"


def test_a_clear_text_never_leaves(server, read, account):
    xml = server().of(account(passwords=(Password(Algorithm.CLRTXT, "Sesame, open!"),)))
    assert b"Sesame" not in xml
    text = "foobar:sip.example.org:Sesame, open!"
    assert entries(read(xml), "auth_info_0")["ha1"] == ha1("md5", text)
    assert entries(read(xml), "auth_info_1")["ha1"] == ha1("sha256", text)
    assert entries(read(xml), "auth_info_1")["algorithm"] == "SHA-256"


def test_a_stored_hash_counts_before_a_clear_text(server, read, account):
    passwords = (Password(Algorithm.CLRTXT, "secret"), Password(Algorithm.MD5, "a" * 32))
    sections = read(server().of(account(passwords=passwords)))
    assert entries(sections, "auth_info_0")["ha1"] == "a" * 32
    assert entries(sections, "auth_info_1")["ha1"] == ha1("sha256", "foobar:sip.example.org:secret")
    assert [name for name, _ in sections].count("auth_info_2") == 0


def test_no_password_is_no_credential(server, read, account):
    assert [name for name, _ in read(server().of(account(passwords=())))] == ["misc", "proxy_0"]


@pytest.mark.parametrize(
    ("display_name", "identity"),
    [
        (None, "<sip:foobar@sip.example.org>"),
        ("", "<sip:foobar@sip.example.org>"),
        ("Zoé & <Co>", '"Zoé & <Co>" <sip:foobar@sip.example.org>'),
        ('a"b\\c', '"a\\"b\\\\c" <sip:foobar@sip.example.org>'),
        ("a\r\nb\x00", '"a  b" <sip:foobar@sip.example.org>'),
    ],
)
def test_display_names_are_quoted(server, read, account, display_name, identity):
    sections = read(server().of(account(display_name=display_name)))
    assert entries(sections, "proxy_0")["reg_identity"] == identity


def test_an_external_account_is_a_second_proxy(server, read, account):
    external = ExternalAccount("outside", "pbx.example.com", "gold", "c" * 32, Algorithm.MD5)
    sections = read(server().of(account(external_account=external)))
    assert [name for name, _ in sections] == ["misc", "proxy_0", "auth_info_0", "proxy_1", "auth_info_1"]
    assert entries(sections, "proxy_0")["depends_on"] == "external_account"
    assert entries(sections, "proxy_1") == {
        "reg_identity": "<sip:outside@pbx.example.com>",
        "reg_sendregister": "1",
        "refkey": "push_notification",
        "idkey": "external_account",
        "reg_proxy": "<sip:pbx.example.com;transport=tls>",
    }
    assert entries(sections, "auth_info_1") == {
        "username": "outside",
        "domain": "pbx.example.com",
        "ha1": "c" * 32,
        "realm": "pbx.example.com",
        "algorithm": "MD5",
    }


def test_a_malformed_base_file_is_no_document(server, account):
    provisioning = server("not a pair\n")
    with pytest.raises(ProvisioningFailed):
        provisioning.base()
    with pytest.raises(ProvisioningFailed):
        provisioning.of(account())


class Recording(ProvisioningHook):
    def __init__(self):
        self.seen = []

    def proxy(self, section, request, account):
        self.seen.append(("proxy", [entry.name for entry in section.entries], request, account))
        for name, value in request.query.items():
            section.add(name, value, overwrite=True)

    def auth(self, section, request, password):
        self.seen.append(("auth", [entry.name for entry in section.entries], request, password))
        section.add("userid", password.algorithm.lower())

    def additional_section(self, document, request, account):
        self.seen.append(("document", [section.name for section in document.sections], request, account))
        document.add("extra").add("user_agent", request.headers.get("user-agent", ""))
        document.sections[0].add("touched", "1")


def test_hooks_add_where_they_are_asked(server, read, account):
    hook = Recording()
    foobar = account(external_account=ExternalAccount("x", "example.com", "g", "c" * 32, Algorithm.MD5))
    provisioning = server("[proxy_0]\nreg_proxy=<sip:one>\n", {"recording": hook})
    headers = {"user-agent": "Phone/1", "authorization": "secret"}
    sections = read(provisioning.of(foobar, {"reg_proxy": "<sip:two>"}, headers))
    assert [kind for kind, *_ in hook.seen] == ["proxy", "auth", "document"]
    assert hook.seen[0][1] == ["reg_identity", "reg_sendregister", "refkey"]
    assert hook.seen[1][1] == ["username", "domain", "ha1", "realm", "algorithm"]
    assert hook.seen[1][3] == foobar.passwords[0]
    assert hook.seen[2][1] == ["proxy_0", "misc", "auth_info_0", "proxy_1", "auth_info_1"]
    assert all(
        request.account is foobar and request.headers == {"user-agent": "Phone/1"} for *_, request, _ in hook.seen
    )
    assert entries(sections, "proxy_0")["reg_proxy"] == "<sip:two>"
    assert {"depends_on", "touched"} <= entries(sections, "proxy_0").keys()
    assert entries(sections, "auth_info_0")["userid"] == "sha-256"
    assert sections[-1] == ("extra", [("user_agent", "Phone/1", False)])


def test_hooks_see_documents_without_account_and_share_nothing(server, read):
    hook = Recording()
    provisioning = server("[sip]\na=b\n", {"recording": hook}, provisioning_overwrite_all=True)
    documents = [read(provisioning.base(headers={"user-agent": agent})) for agent in ("One", "Two")]
    for agent, sections in zip(("One", "Two"), documents, strict=True):
        assert sections[0] == ("sip", [("a", "b", True), ("touched", "1", True)])
        assert sections[-1] == ("extra", [("user_agent", agent, True)])
    assert [account for *_, account in hook.seen] == [None, None]


@pytest.mark.parametrize("method", ["proxy", "auth", "additional_section"])
def test_a_hook_that_fails_is_no_document(server, account, method):
    def fail(self, *_):
        raise RuntimeError("out of paper")

    hook = type("Failing", (ProvisioningHook,), {method: fail})()
    with capture_logs() as logs, pytest.raises(ProvisioningFailed) as failure:
        server(hooks={"failing": hook}).of(account())
    assert logs == [{"event": "a provisioning hook failed", "log_level": "error", "hook": "failing", "exc_info": True}]
    assert str(failure.value.__cause__) == "out of paper"


def test_a_hook_cannot_change_what_was_asked(server, account):
    class Greedy(ProvisioningHook):
        def proxy(self, section, request, account):
            request.query["x"] = "y"

    with pytest.raises(ProvisioningFailed):
        server(hooks={"greedy": Greedy()}).of(account())


def test_what_apps_show_comes_after_the_base_file_whose_own_values_win(server, read, account):
    ui = (("hide_settings", "1"), ("max_account", "2"))
    own = ("ui", [("hide_settings", "1", False), ("max_account", "2", False)])
    assert read(server(ui=ui).base()) == [MISC, own]
    assert read(server(ui=ui).of(account()))[:2] == [MISC, own]
    for overwrite in (False, True):
        documents = server("[ui]\nhide_settings=0\n", ui=ui, provisioning_overwrite_all=overwrite)
        assert entries(read(documents.base())[:1], "ui") == {"hide_settings": "0"}
        assert entries(read(documents.base())[1:], "ui") == {"max_account": "2"}
    assert read(server("[ui]\nhide_settings=0\nmax_account=1\n", ui=ui).base())[1:] == [MISC]
