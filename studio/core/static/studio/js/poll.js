// Polling manners: none while the tab is hidden or a menu of the fragment is open, a full page in
// place of a fragment (signed out meanwhile) reloads, and an unchanged answer touches nothing.
const last = new WeakMap();
const polls = (element) => element.getAttribute?.("hx-trigger")?.includes("every");

document.addEventListener("htmx:beforeRequest", (event) => {
  const element = event.detail.elt;
  if (!polls(element)) return;
  if (document.hidden || element.querySelector("details[data-menu][open]")) event.preventDefault();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, elt } = event.detail;
  if (/^\s*<!doctype/i.test(xhr.responseText)) {
    event.preventDefault();
    window.location.reload();
  } else if (polls(elt) && last.get(elt) === xhr.responseText) {
    event.preventDefault();
  }
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (polls(event.target)) last.set(event.target, event.detail.xhr.responseText);
});
