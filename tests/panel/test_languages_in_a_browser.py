"""Pages in a longer language and in one from right to left, as a browser lays them out."""

import pytest

from flexiapi.files import shared
from flexiapi.rendering.panel.samples import PANEL_PAGES
from flexiapi.rendering.renderer import Renderer
from flexiapi.settings import TemplateSettings

pytestmark = pytest.mark.browser

SAMPLES = {sample.name: sample for sample in PANEL_PAGES}
STYLE = (shared("templates") / "panel" / "panel.css").read_text("utf-8")
# Of a value beside its name, in pixels: some words of it fit into a line.
NARROWEST = 90
OVERFLOWS = "document.scrollingElement.scrollWidth > document.documentElement.clientWidth"
NARROW = f"[...document.querySelectorAll('.facts dd')].filter(one => one.clientWidth < {NARROWEST}).length"


@pytest.fixture(scope="module")
def renderer(tmp_path_factory):
    """A renderer with French texts in a language from right to left too."""
    own = tmp_path_factory.mktemp("own")
    (own / "he").mkdir()
    (own / "he" / "pages.po").write_bytes((shared("templates") / "fr" / "pages.po").read_bytes())
    return Renderer(TemplateSettings(path=own), "Name", "Signature")


@pytest.mark.parametrize(("language", "width"), [("fr", 320), ("fr", 900), ("he", 320), ("he", 900)])
def test_no_text_runs_out_of_its_place(page, renderer, language, width):
    page.set_viewport_size({"width": width, "height": 800})
    wrong = []
    for name, sample in SAMPLES.items():
        html = renderer.page(sample, language=language)
        page.set_content(html.replace("</head>", f"<style>{STYLE}</style></head>"), wait_until="commit")
        if page.evaluate(OVERFLOWS) or page.evaluate(NARROW):
            wrong.append(name)
    assert not wrong
