"""A person who has a keyboard alone: the place of the focus on a page, which has to be seen."""

from playwright.sync_api import Page

# Most presses of a key that lead from one place of a page to another.
_MOST = 200

_FOCUSED = """() => {
  const it = document.activeElement;
  if (!it || it === document.body) return null;
  const style = getComputedStyle(it), box = it.getBoundingClientRect();
  const label = it.labels && it.labels[0] ? it.labels[0].innerText : it.innerText;
  if (!it.dataset.stop) it.dataset.stop = String(document.querySelectorAll("[data-stop]").length + 1);
  return {
    stop: it.dataset.stop, tag: it.localName, text: (label || "").trim(), name: it.name || "", type: it.type || "",
    outline: style.outlineStyle !== "none" ? parseFloat(style.outlineWidth) : 0,
    seen: box.width > 1 && box.height > 1 && box.bottom > 0 && box.top < innerHeight && box.right > 0,
    covered: (() => {
      const top = document.elementFromPoint(box.left + Math.min(box.width, innerWidth) / 2, box.top + box.height / 2);
      return top !== null && !it.contains(top) && !top.contains(it) && !(it.labels && [...it.labels].includes(top));
    })(),
  };
}"""


class Keyboard:
    """The keyboard of a person in front of a page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def focused(self) -> dict | None:
        """The element with the focus, `None` for the page itself. It is checked to be in sight and outlined."""
        found = self.page.evaluate(_FOCUSED)
        if found is not None:
            assert found["outline"] >= 2, f"the focus cannot be seen: {found}"
            assert found["seen"], f"the focus is out of sight: {found}"
            assert not found["covered"], f"something covers the focus: {found}"
        return found

    def press(self, key: str, times: int = 1) -> None:
        for _ in range(times):
            self.page.keyboard.press(key)

    def go_to(self, text: str = "", *, key: str = "Tab", **wanted: str) -> dict:
        """Press a key until the focus is on what has this text, and these properties."""
        for _ in range(_MOST):
            self.page.keyboard.press(key)
            it = self.focused
            if it and it["text"].startswith(text) and all(it[name] == value for name, value in wanted.items()):
                return it
        raise AssertionError(f"{text} {wanted} is not reached by {key}")

    def round(self, key: str = "Tab") -> list[str]:
        """Press a key until the focus is where it was first. Returns the stops: a trap would never come back."""
        stops: list[str] = []
        for _ in range(_MOST):
            self.page.keyboard.press(key)
            it = self.focused
            if it is None:
                continue
            if stops and it["stop"] == stops[0]:
                return stops
            # A date has fields of its own inside.
            if it["type"] == "date" and stops and it["stop"] == stops[-1]:
                continue
            assert it["stop"] not in stops, f"the focus does not leave: {it}"
            stops.append(it["stop"])
        raise AssertionError("the focus does not come round")
