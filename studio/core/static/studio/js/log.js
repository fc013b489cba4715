// A log that follows: new text scrolls into view until the reader scrolls up; then a button leads back.
// A link to a line opens there, from the server if the line is not among those shown.
const near = (text) => text.scrollHeight - text.scrollTop - text.clientHeight < 40;
const following = new WeakMap();
const MOST = 5000; // rows of a log that is followed: what a chatty script wrote before is a link away

function scrollTo(text, row) {
  text.scrollTop += row.getBoundingClientRect().top - text.getBoundingClientRect().top - text.clientHeight / 3;
}

// The address of a line of this log on this page.
function addressOf(pane, number) {
  const address = new URL(window.location.href);
  new URLSearchParams(pane.dataset.logQuery).forEach((value, key) => address.searchParams.set(key, value));
  address.searchParams.set("line", number);
  address.searchParams.delete("attempt");
  address.hash = `L${number}`;
  return address;
}

function latestOf(pane) {
  const address = addressOf(pane, "");
  address.searchParams.delete("line");
  address.hash = "log";
  return address;
}

function open(pane, text) {
  const id = window.location.hash.slice(1);
  const isLine = /^L[1-9]\d*$/.test(id);
  const row = document.getElementById(isLine ? id : pane.dataset.logAt || "none");
  const address = addressOf(pane, id.slice(1));
  if (row && text.contains(row)) scrollTo(text, row);
  else if (isLine && new URL(window.location.href).searchParams.get("line") !== id.slice(1)) window.location.replace(address);
}

function trim(pane, text) {
  const rows = text.querySelectorAll(".row");
  if (rows.length <= MOST) return;
  const first = rows[rows.length - MOST], old = document.createRange();
  old.setStart(text, 0);
  old.setEndBefore(first);
  old.deleteContents();
  const number = Number(first.id.slice(1)), part = pane.querySelector("[data-log-part]");
  const earlier = pane.querySelector("[data-log-earlier]");
  earlier.href = addressOf(pane, Math.max(1, number - 500));
  earlier.hidden = part.hidden = false;
  part.querySelector("[data-log-first]").textContent = number;
}

function prepare(pane) {
  const text = pane.querySelector("[data-log-text]");
  if (following.has(text)) return;
  const jump = pane.querySelector("[data-log-jump]");
  const wrap = pane.querySelector("[data-log-wrap]");
  const live = () => text.querySelector("[hx-get]") !== null;
  let left = 0; // where following put the text last
  const follow = (on) => {
    following.set(text, on);
    jump.hidden = on || !live();
  };
  const show = () => {
    const mark = pane.querySelector("[data-live]");
    if (mark) mark.hidden = !live();
    // The event of scrolling comes a frame late: text that arrives before it must not undo it.
    if (text.scrollTop < left - 40 && !near(text)) follow(false);
    if (!following.get(text)) return;
    if (live()) trim(pane, text);
    text.scrollTop = text.scrollHeight;
    left = text.scrollTop;
  };

  // A link to a line, or a log that has ended, starts where it is.
  follow(live() && !window.location.hash.startsWith("#L"));
  text.addEventListener("scroll", () => follow(near(text)), { passive: true });
  // Not htmx's event: it does not fire for an answer of nothing but text.
  new MutationObserver(() => { follow(following.get(text)); show(); }).observe(text, { childList: true });
  // The pane may start hidden, or grow: keep the end in sight.
  new ResizeObserver(show).observe(text);
  // Who reads further up is not given more than a page can hold; the way back is a page of the newest.
  let isPaused = false;
  text.addEventListener("htmx:beforeRequest", (event) => {
    isPaused ||= !following.get(text) && text.querySelectorAll(".row").length >= MOST;
    if (isPaused) event.preventDefault();
  });
  jump.addEventListener("click", () => {
    if (isPaused) window.location.assign(latestOf(pane));
    else { follow(true); left = 0; show(); text.focus(); }
  });
  wrap.hidden = false;
  wrap.addEventListener("click", () => {
    wrap.setAttribute("aria-pressed", String(text.classList.toggle("wrap")));
    show();
  });
  text.addEventListener("click", (event) => {
    const number = event.target.closest("a.n")?.dataset.n;
    if (!number || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    window.history.replaceState(null, "", addressOf(pane, number));
    for (const row of text.querySelectorAll(".row[aria-current]")) row.removeAttribute("aria-current");
    event.target.closest(".row").setAttribute("aria-current", "true");
  });
  window.addEventListener("hashchange", () => open(pane, text));
  show();
  open(pane, text);
}

// The swap style "log": htmx's own look for the id of each row and send it events, which takes seconds.
window.htmx.defineExtension("log", {
  handleSwap(style, target, fragment) {
    const next = fragment.querySelector("[hx-get]");
    target.replaceWith(fragment);
    return next ? [next] : [document.createComment("the end")];
  },
});

const all = (root) => root.querySelectorAll("[data-log]").forEach(prepare);
document.addEventListener("htmx:afterSettle", () => all(document));
document.addEventListener("studio:content", (event) => all(event.detail));
all(document);
