"""Countries of addresses: from a file of the operator, in the language of the page, and never a failure of it."""

import random
import re
import shutil
from dataclasses import replace

import pytest

from flexiapi.errors import ConfigurationError
from flexiapi.rendering import samples
from flexiapi.rendering.countries import Countries
from flexiapi.rendering.panel.entrance import LetInPage
from flexiapi.rendering.panel.samples import PANEL_PAGES
from flexiapi.rendering.renderer import Renderer
from flexiapi.settings import TemplateSettings
from tests.kit.countries import BRITISH, FRENCH, FRENCH_6, NETWORKS, country_file

LET_IN = next(page for page in PANEL_PAGES if isinstance(page, LetInPage))
SIGN_IN = next(mail for mail in samples.MAILS if mail.name == "notice.sign_in")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return country_file(tmp_path_factory.mktemp("countries") / "countries.mmdb")


@pytest.fixture(scope="module")
def countries(file):
    return Countries(file)


class AlsoOfSamples(Countries):
    """Countries that know the addresses of samples too, which are for documentation."""

    def of(self, address, language):
        return "Utopia" if address.startswith("192.0.2.") else super().of(address, language)


@pytest.fixture(scope="module")
def renderer(file):
    return Renderer(TemplateSettings(), "Name", "Signature", AlsoOfSamples(file))


@pytest.mark.parametrize(
    ("address", "language", "name"),
    [
        (BRITISH, "en", "United Kingdom"),
        (BRITISH, "fr", "Royaume-Uni"),
        (BRITISH, "pt-BR", "Reino Unido"),
        (BRITISH, "ar", "\u0627\u0644\u0645\u0645\u0644\u0643\u0629 \u0627\u0644\u0645\u062a\u062d\u062f\u0629"),
        (BRITISH, "zz", "United Kingdom"),
        (FRENCH, "en", "France"),
        (FRENCH_6, "fr", "France"),
        (f"::ffff:{FRENCH}", "en", "France"),
    ],
)
def test_the_country_of_an_address_has_its_name_in_the_language_of_the_page(countries, address, language, name):
    assert countries.of(address, language) == name


@pytest.mark.parametrize(
    "address",
    [
        *("10.1.2.3", "127.0.0.1", "::1", "fe80::1", "fe80::1%eth0", "::ffff:10.1.2.3", "192.168.1.1", "100.64.0.1"),
        *("8.8.8.8", "2001:4860::1", "5.5.5.5", "6.6.6.6", "7.7.7.7"),
        *("", "unix", "alice@example.org", "81.2.69", "81.2.69.160, 10.0.0.1"),
    ],
)
def test_private_and_unknown_addresses_and_other_texts_have_no_country(countries, address):
    assert countries.of(address, "en") == ""


def test_a_file_of_ipv4_alone_knows_nothing_of_ipv6(tmp_path):
    file = country_file(tmp_path / "4.mmdb", {"81.2.69.0/24": NETWORKS["81.2.69.0/24"]}, version=4)
    countries = Countries(file)
    assert [countries.of(one, "en") for one in (BRITISH, FRENCH_6)] == ["United Kingdom", ""]


def test_without_a_file_no_address_has_a_country():
    assert Countries(None).of(BRITISH, "en") == ""
    assert Countries(None).description is None


class TestRefusal:
    """Files that the server does not start with."""

    def refused(self, path):
        with pytest.raises(ConfigurationError) as caught:
            Countries(path)
        text = str(caught.value)
        assert text.startswith("panel.country_database (PANEL_COUNTRY_DATABASE): ")
        assert str(path) in text
        assert "or leave the setting empty" in text
        return text

    def test_one_that_is_missing_or_a_folder(self, tmp_path):
        assert "No such file" in self.refused(tmp_path / "none.mmdb")
        assert "Is a directory" in self.refused(tmp_path)

    @pytest.mark.parametrize("content", [b"", b"<html>Sign in to download</html>", b"\x1f\x8b" + bytes(1000)])
    def test_one_that_is_no_database(self, tmp_path, content):
        (tmp_path / "x.mmdb").write_bytes(content)
        assert "Fetch it again" in self.refused(tmp_path / "x.mmdb")

    def test_one_that_was_cut_off_at_either_end(self, tmp_path, file):
        whole = file.read_bytes()
        for content in (whole[:-200], whole[600:]):
            (tmp_path / "x.mmdb").write_bytes(content)
            self.refused(tmp_path / "x.mmdb")

    def test_one_of_other_things_than_countries(self, tmp_path):
        networks = {"81.2.69.0/24": {"autonomous_system_number": 20712}}
        text = self.refused(country_file(tmp_path / "asn.mmdb", networks, kind="Test-ASN"))
        assert "Test-ASN of 20" in text
        assert "says nothing about countries" in text


def test_a_damaged_file_is_refused_or_tells_less_and_nothing_else_fails(tmp_path, file):
    whole, chance, path = file.read_bytes(), random.Random(1), tmp_path / "x.mmdb"
    told = set()
    for _ in range(100):
        content = bytearray(whole)
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        try:
            told.add(Countries(path).of(BRITISH, "en"))
        except ConfigurationError:
            told.add("refused")
    assert {"refused", "United Kingdom"} <= told


def test_a_damage_that_shows_later_is_logged_once(tmp_path, caplog):
    networks = {"81.2.69.0/24": NETWORKS["81.2.69.0/24"], "90.63.0.0/16": {"country": {"iso_code": "QQ"}}}
    path = country_file(tmp_path / "x.mmdb", networks)
    path.write_bytes(path.read_bytes().replace(b"QQ", b"\xff\xff"))
    countries = Countries(path)
    assert [countries.of(one, "en") for one in (FRENCH, BRITISH, FRENCH)] == ["", "United Kingdom", ""]
    assert caplog.text.count("country database is damaged") == 1


def test_a_file_that_is_replaced_or_emptied_under_a_server_changes_nothing_until_the_next_start(tmp_path, file):
    path = tmp_path / "x.mmdb"
    shutil.copy(file, path)
    countries = Countries(path)
    path.write_bytes(b"")
    assert countries.of(BRITISH, "en") == "United Kingdom"
    country_file(path, {"81.2.69.0/24": {"country": {"iso_code": "FR"}}})
    assert countries.of(BRITISH, "en") == "United Kingdom"
    assert Countries(path).of(BRITISH, "en") == "France"


class TestPages:
    """Addresses on pages and in mails."""

    def test_the_country_stands_beside_the_address_whatever_direction_the_texts_have(self, renderer):
        page = replace(LET_IN, ip=BRITISH)
        for language, name in (("en", "United Kingdom"), ("fr", "Royaume-Uni"), ("en", "United Kingdom")):
            assert f"<dd><bdi>{BRITISH}</bdi> (<bdi>{name}</bdi>)</dd>" in renderer.page(page, language=language)

    def test_an_address_without_a_country_stands_alone(self, renderer):
        assert "<dd><bdi>127.0.0.1</bdi></dd>" in renderer.page(replace(LET_IN, ip="127.0.0.1"))

    def test_the_notice_of_a_sign_in_names_it(self, renderer):
        for language, name in (("en", "United Kingdom"), ("fr", "Royaume-Uni")):
            mail = renderer.mail(replace(SIGN_IN, ip=BRITISH), language=language)
            assert f"{BRITISH} ({name})" in mail.text
            assert f"{BRITISH} ({name})" in mail.html
        assert "(" not in renderer.mail(replace(SIGN_IN, ip="127.0.0.1")).text

    def test_no_page_and_no_mail_shows_an_address_of_the_network_without_its_country(self, renderer):
        pages = [renderer.page(page) for page in PANEL_PAGES if "192.0.2." in repr(page)]
        texts = [re.sub(r'<span class="unseen">[^<]*</span>', "", page) for page in pages]
        for mail in samples.MAILS:
            texts += renderer.mail(mail) if "192.0.2." in repr(mail) else ()
        beside = [end for text in texts for end in re.findall(r"192\.0\.2\.\d+(.{0,24})", text)]
        assert len(beside) > 10
        assert {re.sub(r"</?bdi>", "", end)[:8] for end in beside} == {" (Utopia"}
