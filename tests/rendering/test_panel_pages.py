"""Pages of the panel: declared with their variables, with samples, and without anything of other sites."""

import pytest

from flexiapi.files import shared
from flexiapi.rendering.panel import (
    accounts,
    admin,
    call_forwarding,
    calls,
    entrance,
    frame,
    invitations,
    named_keys,
    operation,
    phones,
    samples,
    sessions,
    user,
    voicemail,
)
from flexiapi.rendering.renderer import Renderer
from flexiapi.settings import TemplateSettings
from tests.rendering.test_renderer import Outline

WINGS = (
    *(frame, entrance, user, call_forwarding, phones, sessions, admin, named_keys, accounts, operation),
    *(invitations, calls, voicemail),
)
MACROS = {f"panel/user/{name}_macros.html" for name in ("phone", "session")}
AROUND = {
    "panel/layout.html",
    "panel/macros.html",
    "panel/forwarding_macros.html",
    "panel/admin/macros.html",
    "panel/admin/office_macros.html",
    "panel/admin/statistics_macros.html",
    "panel/call_macros.html",
} | MACROS


@pytest.fixture(scope="module")
def renderer():
    return Renderer(TemplateSettings(), "Example & Co", "")


def declared():
    kinds = {kind for wing in WINGS for kind in vars(wing).values() if isinstance(kind, type)}
    return {kind for kind in kinds if issubclass(kind, frame.PanelPage) and hasattr(kind, "name")}


def test_every_declaration_has_a_sample():
    assert {type(sample) for sample in samples.PANEL_PAGES} == declared()


def test_no_template_is_without_a_page():
    folder = shared("templates")
    there = {path.relative_to(folder).as_posix() for path in (folder / "panel").rglob("*.html")}
    assert there == AROUND | {f"panel/{kind.name}.html" for kind in declared()}


@pytest.mark.parametrize("sample", samples.PANEL_PAGES, ids=lambda sample: sample.name)
class TestPage:
    def test_it_needs_nothing_of_others(self, renderer, sample):
        outline, root = Outline(renderer.page(sample)), sample.frame.root
        captcha = getattr(sample, "captcha", None)
        of_captcha = [] if captcha is None else [captcha.script_url]
        assert [one["src"] for one in outline.all("script")] == [root + sample.frame.script, *of_captcha]
        assert {one["href"] for one in outline.all("link")} <= {"data:,", root + sample.frame.stylesheet}
        assert [one["nonce"] for one in outline.all("style")] == [sample.frame.nonce]
        images = outline.all("img")
        assert all(one["src"].startswith(("data:", f"{root}/assets/")) and "alt" in one for one in images)

    def test_its_policy_allows_all_of_it(self, renderer, sample):
        outline = Outline(renderer.page(sample))
        assert not [one for _, one in outline.found if "style" in one or any(name.startswith("on") for name in one)]
        assert not [one for one in outline.all("a") if (one.get("href") or "").startswith("javascript:")]

    def test_it_has_one_heading_a_language_and_a_direction(self, renderer, sample):
        outline = Outline(renderer.page(sample))
        assert outline.all("html") == [{"lang": "en", "dir": "ltr"}]
        assert len(outline.all("h1")) == len(outline.all("main")) == 1

    def test_its_forms_are_ours_and_have_a_token(self, renderer, sample):
        html = renderer.page(sample)
        outline = Outline(html)
        forms = [one for one in outline.all("form") if one.get("method") == "post"]
        assert html.count('name="form_token"') == len(forms)
        assert all(one["action"].startswith(f"{sample.frame.root}/") for one in forms)
        ids = [one["id"] for _, one in outline.found if "id" in one]
        assert len(ids) == len(set(ids))
        assert {one["for"] for one in outline.all("label")} <= set(ids)
