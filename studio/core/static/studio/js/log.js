// A log that follows: new text scrolls into view until the reader scrolls up; then a button leads back.
const near = (text) => text.scrollHeight - text.scrollTop - text.clientHeight < 40;
const following = new WeakMap();

function prepare(pane) {
  const text = pane.querySelector("[data-log-text]");
  if (following.has(text)) return;
  const jump = pane.querySelector("[data-log-jump]");
  const wrap = pane.querySelector("[data-log-wrap]");
  const live = () => text.querySelector("[hx-get]") !== null;
  const follow = (on) => {
    following.set(text, on);
    jump.hidden = on || !live();
  };
  const show = () => {
    const mark = pane.querySelector("[data-live]");
    if (mark) mark.hidden = !live();
    if (following.get(text)) text.scrollTop = text.scrollHeight;
  };

  // A link to a line, or a log that has ended, starts where it is.
  follow(live() && !window.location.hash);
  text.addEventListener("scroll", () => follow(near(text)), { passive: true });
  // Not htmx's event: it does not fire for an answer of nothing but text.
  new MutationObserver(() => { follow(following.get(text)); show(); }).observe(text, { childList: true });
  // The pane may start hidden, or grow: keep the end in sight.
  new ResizeObserver(show).observe(text);
  jump.addEventListener("click", () => { follow(true); show(); text.focus(); });
  wrap.hidden = false;
  wrap.addEventListener("click", () => {
    wrap.setAttribute("aria-pressed", String(text.classList.toggle("wrap")));
    show();
  });
  show();
}

const all = (root) => root.querySelectorAll("[data-log]").forEach(prepare);
document.addEventListener("htmx:afterSettle", () => all(document));
document.addEventListener("studio:content", (event) => all(event.detail));
all(document);
