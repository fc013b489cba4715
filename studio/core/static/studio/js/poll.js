// Polling manners: none while the tab is hidden or a menu of the fragment is open, a full page in
// place of a fragment (signed out meanwhile) reloads, an unchanged answer touches nothing, and a
// changed one moves neither the focus nor the place a table was scrolled to, and closes no details.
const last = new WeakMap();
const polls = (element) => element.getAttribute?.("hx-trigger")?.includes("every");
const named = ["id", "href", "name", "value", "aria-label"];
let before = null;

// What has the focus, in words that its successor answers to as well; htmx knows ids alone.
function selectorOf(element) {
  const parts = named.filter((key) => element.hasAttribute(key));
  const same = parts.map((key) => `[${key}="${CSS.escape(element.getAttribute(key))}"]`);
  return element.localName + same.join("");
}

const regions = (element) => [...element.querySelectorAll(".scroll")];

function remember(element) {
  const focused = document.activeElement;
  before = {
    focus: element.contains(focused) && focused !== element ? selectorOf(focused) : "",
    places: regions(element).map((region) => [region.scrollLeft, region.scrollTop]),
    open: [...element.querySelectorAll("details[id][open]")].map((details) => details.id),
  };
}

function restore(element) {
  for (const id of before.open) element.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
  regions(element).forEach((region, index) => region.scrollTo(...(before.places[index] ?? [0, 0])));
  if (before.focus && document.activeElement === document.body) {
    element.querySelector(before.focus)?.focus({ preventScroll: true });
  }
}

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
  } else {
    remember(event.detail.target);
  }
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (before) restore(event.target);
  before = null;
  if (polls(event.target)) last.set(event.target, event.detail.xhr.responseText);
});
