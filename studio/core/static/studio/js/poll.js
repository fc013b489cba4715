// Polling manners: none while the tab is hidden or a menu of the fragment is open, a full page in
// place of a fragment (signed out meanwhile) reloads, and an unchanged answer touches nothing.
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
    return;
  }
  // The text caret and the scroll of what did not change stay where they are.
  if (polls(elt) && elt.dataset.last === xhr.responseText) event.preventDefault();
});

document.addEventListener("htmx:afterSwap", (event) => {
  const { xhr } = event.detail;
  const fresh = event.detail.elt?.id && document.getElementById(event.detail.elt.id);
  if (fresh && polls(fresh)) fresh.dataset.last = xhr.responseText;
});
