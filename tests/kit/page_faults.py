"""Faults of a page that can be measured: small targets, fields without names, texts that disturb their neighbours."""

from playwright.sync_api import Page

TARGET_PIXELS = 24

# Links in the run of a text are excepted (WCAG 2.5.8), and what is not to be seen.
_SMALL_TARGETS = """(least) => {
  const visible = (it) => it.checkVisibility({ visibilityProperty: true }) && !it.closest(".unseen, .skip");
  const inText = (it) => {
    if (it.localName !== "a" || getComputedStyle(it).display !== "inline") return false;
    const block = it.parentElement.closest("p, li, dd, td, th, label, summary");
    const others = [...(block || it).querySelectorAll("a")].reduce((all, one) => all + one.textContent.length, 0);
    return block !== null && block.textContent.trim().length > others + 1;
  };
  return [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
    .filter((it) => visible(it) && !inText(it))
    .map((it) => [it.getBoundingClientRect(), it.outerHTML.slice(0, 120)])
    .filter(([box]) => box.width < least || box.height < least)
    .map(([box, html]) => `${Math.round(box.width)}x${Math.round(box.height)} ${html}`);
}"""

_FIELDS = """() => [...document.querySelectorAll("input:not([type=hidden]), select, textarea")].map((it) => ({
  name: it.name, type: it.type, autocomplete: it.getAttribute("autocomplete"), html: it.outerHTML.slice(0, 160),
  named: it.ariaHidden === "true" || !!it.ariaLabel || [...it.labels].some((one) => one.textContent.trim()),
}))"""

# The mark turns the text after it around, up to the end of its block or isolate: nothing else may be in that.
_DISTURBING = """(mark) => {
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode;
    if (!text.data.includes(mark)) continue;
    let around = text.parentElement;
    if (around.closest("textarea, option, script, style") || !around.checkVisibility()) continue;
    while (getComputedStyle(around).display.startsWith("inline") && !["isolate", "isolate-override", "plaintext"]
      .includes(getComputedStyle(around).unicodeBidi)) around = around.parentElement;
    const others = [...around.childNodes].filter((one) => !one.contains(text) && one.textContent.trim());
    if (around.textContent.trim() !== text.data.trim() && others.length) found.push(around.outerHTML.slice(0, 300));
  }
  return found;
}"""

_UNBORDERED = """() => [...document.querySelectorAll("button, .button, input:not([type=hidden]), select, textarea")]
  .filter((it) => it.checkVisibility() && !it.closest(".unseen") && !["checkbox", "radio"].includes(it.type))
  .filter((it) => parseFloat(getComputedStyle(it).borderTopWidth) < 1)
  .map((it) => it.outerHTML.slice(0, 120))"""

_MOVING = """() => [...document.querySelectorAll("*")]
  .filter((it) => [getComputedStyle(it).transitionDuration, getComputedStyle(it).animationDuration]
    .some((times) => times.split(",").some((one) => parseFloat(one) > 0)))
  .map((it) => it.outerHTML.slice(0, 120))"""

_TOO_WIDE = """() => [...document.querySelectorAll("main *, header *, footer *, nav *")]
  .filter((it) => it.checkVisibility() && !it.closest(".unseen, .scroll, .skip, svg, select, table.stacked thead"))
  .map((it) => [it.getBoundingClientRect(), it])
  .filter(([box]) => box.width && (box.right > document.documentElement.clientWidth + 1 || box.left < -1))
  .map(([box, it]) => `${Math.round(box.left)} to ${Math.round(box.right)}: ${it.outerHTML.slice(0, 120)}`)"""

# By the type or the name of a field of one's own data: the tokens of HTML that are right for it.
_OWN = {
    "email": {"email"},
    "tel": {"tel"},
    "password": {"current-password", "new-password"},
    "username": {"username"},
    "code": {"one-time-code"},
}
# A field about another person must not be filled with one's own data.
_OF_OTHERS = {"off", "new-password", "one-time-code"}


def small_targets(page: Page) -> list[str]:
    """Return the targets that are smaller than 24 CSS pixels one way or the other."""
    return page.evaluate(_SMALL_TARGETS, TARGET_PIXELS)


def wrong_fields(page: Page, *, is_own: bool) -> list[str]:
    """Return the fields without a name, and those whose `autocomplete` is not right for one's own or others' data."""
    return [
        one["html"]
        for one in page.evaluate(_FIELDS)
        if not one["named"] or not _is_right(one["name"], one["type"], one["autocomplete"], is_own=is_own)
    ]


def _is_right(name: str, kind: str, autocomplete: str | None, *, is_own: bool) -> bool:
    if kind in ("checkbox", "radio", "select-one", "select-multiple", "file", "submit"):
        return True
    if name == "current_password":
        return autocomplete == "current-password"
    if not is_own:
        return autocomplete in _OF_OTHERS
    right = _OWN.get(kind) or _OWN.get(name)
    return bool(autocomplete) if right is None else autocomplete in right


def repeated_names(page: Page) -> list[str]:
    """Return the ids that several elements have, so that labels and links lead to the wrong one."""
    names = page.evaluate("[...document.querySelectorAll('[id]')].map((it) => it.id)")
    return sorted({name for name in names if names.count(name) > 1})


def disturbing(page: Page, mark: str) -> list[str]:
    """Return what a direction that a text with this mark brings would turn around besides it."""
    return page.evaluate(_DISTURBING, mark)


def lost_in_forced_colors(page: Page) -> list[str]:
    """Return what a page loses with the colors of the system, and what moves though the person wants no motion."""
    before = page.evaluate("document.body.innerText")
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    lost = page.evaluate(_UNBORDERED) + page.evaluate(_MOVING)
    if page.evaluate("document.body.innerText") != before:
        lost.append("texts")
    page.emulate_media(forced_colors="none", reduced_motion="no-preference")
    return lost


def overflow(page: Page) -> int:
    """Return by how many pixels a page is wider than its window."""
    return page.evaluate("document.scrollingElement.scrollWidth - document.documentElement.clientWidth")


def too_wide(page: Page) -> list[str]:
    """Return the texts and fields that reach out of the window, except in what can be scrolled by itself."""
    return page.evaluate(_TOO_WIDE)
