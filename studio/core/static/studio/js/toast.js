// Short words after an action that did not load a page: HX-Trigger: {"toast": {"text": …, "kind": "ok"}}.
const toasts = document.querySelector("[data-toasts]");
let lost = false;

function toast(text, kind = "ok") {
  if (!toasts) return;
  const place = toasts.querySelector(kind === "bad" ? '[role="alert"]' : '[role="status"]');
  const note = document.createElement("div");
  note.className = `notice ${kind}`;
  const words = document.createElement("p");
  words.textContent = text;
  note.append(words);
  place.append(note);
  window.setTimeout(() => note.remove(), kind === "bad" ? 12000 : 6000);
}

document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.kind));
document.addEventListener("htmx:sendError", () => {
  if (!lost) toast(toasts?.dataset.lost ?? "", "bad");
  lost = true;
});
document.addEventListener("htmx:afterOnLoad", () => { lost = false; });
