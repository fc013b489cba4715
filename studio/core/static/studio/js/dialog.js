// A link marked data-dialog opens in a <dialog>: the in-page one it names, or the part of the linked
// page marked data-dialog-body. A form inside still posts as a form; its answer is a page.
const words = document.querySelector("[data-toasts]")?.dataset ?? {};

async function fetched(link) {
  const answer = await fetch(link.href, { headers: { "X-Requested-With": "dialog" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const body = page.querySelector("[data-dialog-body]");
  // A redirect (to sign in, say) or an error is a page of its own.
  if (!answer.ok || answer.redirected || !body) return null;

  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  const head = document.createElement("div");
  head.className = "dialog-head";
  const title = document.createElement("h2");
  title.id = "dialog-title";
  title.textContent = body.querySelector("h1")?.textContent.trim() ?? link.textContent.trim();
  dialog.setAttribute("aria-labelledby", title.id);
  const close = document.createElement("button");
  close.className = "button";
  close.type = "button";
  close.dataset.dialogClose = "";
  close.textContent = words.close ?? "×";
  head.append(title, close);
  body.className = "dialog-body";
  for (const tabs of body.querySelectorAll(":scope > .tabs")) tabs.remove();
  for (const form of body.querySelectorAll("form:not([action])")) form.action = link.href;
  dialog.append(head, document.importNode(body, true));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  window.htmx?.process(dialog);
  document.dispatchEvent(new CustomEvent("studio:content", { detail: dialog }));
  return dialog;
}

const state = (form) => new URLSearchParams(new FormData(form)).toString();
const begun = new WeakMap();

function show(dialog) {
  for (const form of dialog.querySelectorAll("form")) begun.set(form, state(form));
  dialog.showModal();
}

function mayClose(dialog) {
  const changed = [...dialog.querySelectorAll("form")].some((f) => begun.has(f) && begun.get(f) !== state(f));
  return !changed || window.confirm(words.discard);
}

document.addEventListener("click", async (event) => {
  const closer = event.target.closest("[data-dialog-close]");
  const around = closer?.closest("dialog");
  if (around) {
    event.preventDefault();
    if (mayClose(around)) around.close();
    return;
  }
  const link = event.target.closest("[data-dialog]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const named = link.dataset.dialog && document.getElementById(link.dataset.dialog);
  let dialog = named;
  if (!named) dialog = await fetched(link).catch(() => null);
  if (dialog) show(dialog);
  else window.location.assign(link.href);
});

document.addEventListener("cancel", (event) => {
  if (event.target.matches("dialog") && !mayClose(event.target)) event.preventDefault();
}, true);
