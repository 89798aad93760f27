// Conveniences of the panel. Everything works without this script; what needs it, it adds itself.
(() => {
  "use strict";
  const texts = document.body.dataset;

  function button(text, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "quiet";
    made.textContent = text;
    made.addEventListener("click", () => act(made));
    return made;
  }

  // Passwords can be shown while they are typed, and are hidden again before they are sent.
  for (const input of document.querySelectorAll("input[type=password]")) {
    const toggle = button(texts.showText, () => {
      const shown = input.type === "password";
      input.type = shown ? "text" : "password";
      toggle.textContent = shown ? texts.hideText : texts.showText;
      toggle.setAttribute("aria-pressed", String(shown));
    });
    toggle.setAttribute("aria-controls", input.id);
    toggle.setAttribute("aria-pressed", "false");
    const row = document.createElement("div");
    row.className = "with-button";
    input.replaceWith(row);
    row.append(input, toggle);
    if (input.form) input.form.addEventListener("submit", () => { input.type = "password"; });
  }

  // Texts to copy.
  for (const source of document.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) break;
    const said = document.createElement("span");
    said.setAttribute("role", "status");
    said.className = "unseen";
    source.after(button(texts.copyText, (pressed) => {
      const text = "value" in source ? source.value : source.textContent.trim();
      navigator.clipboard.writeText(text).then(() => {
        pressed.textContent = said.textContent = texts.copiedText;
        setTimeout(() => { pressed.textContent = texts.copyText; said.textContent = ""; }, 3000);
      });
    }), said);
  }

  // All rows of a table are chosen at once.
  for (const place of document.querySelectorAll("[data-choose-all]")) {
    const all = document.createElement("input");
    all.type = "checkbox";
    all.className = "choose-all";
    all.setAttribute("aria-label", place.dataset.chooseAll);
    all.addEventListener("change", () => {
      for (const one of place.closest("form").querySelectorAll("input[name=ids]")) one.checked = all.checked;
    });
    place.append(all);
  }

  // A form is sent once, however often its button is pressed.
  for (const form of document.forms) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
      setTimeout(() => delete form.dataset.sent, 5000);
    });
  }

  // A browser that shows a QR code signs in as soon as another device has let it in.
  for (const form of document.querySelectorAll("form[data-poll]")) {
    const ask = () => fetch(form.dataset.poll, { cache: "no-store" })
      .then((answer) => (answer.ok ? answer.json() : { gone: true }))
      .then((state) => {
        // The page then names the account: another person may have let this browser in.
        if (state.gone || state.attached) location.reload();
        else setTimeout(ask, 2000);
      })
      .catch(() => setTimeout(ask, 5000));
    setTimeout(ask, 2000);
  }

  const summary = document.getElementById("summary");
  if (summary) summary.focus();
})();
