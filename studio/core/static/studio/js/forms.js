// Forms: data-autosubmit sends on change; a form that went out once does not go out twice;
// Ctrl+Enter sends; buttons that only a browser without scripts needs (data-nojs) go away.
function prepare(root) {
  for (const element of root.querySelectorAll("[data-nojs]")) element.hidden = true;
}

document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form?.matches("[data-autosubmit]")) form.requestSubmit();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
});
// Back from the history the form may go out again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
document.addEventListener("htmx:afterRequest", (event) => { delete event.target.dataset.sent; });

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.target.closest("form.form")?.requestSubmit();
});

document.addEventListener("studio:content", (event) => prepare(event.detail));
document.addEventListener("htmx:afterSettle", (event) => prepare(event.target));
prepare(document);
