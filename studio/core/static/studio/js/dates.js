// "3 min ago" stays true and running durations tick. The words come from the page's language.
const language = document.documentElement.lang || "en";
const words = new Intl.RelativeTimeFormat(language, { style: "short", numeric: "always" });

function relative(seconds) {
  if (seconds < 60) return null; // the server's "just now" stands
  if (seconds < 3600) return words.format(-Math.floor(seconds / 60), "minute");
  if (seconds < 86400) return words.format(-Math.floor(seconds / 3600), "hour");
  if (seconds < 30 * 86400) return words.format(-Math.floor(seconds / 86400), "day");
  return "";
}

const two = (number) => String(number).padStart(2, "0");

// The same shapes as the template filter `duration`.
function duration(seconds) {
  const s = seconds % 60, m = Math.floor(seconds / 60) % 60;
  const h = Math.floor(seconds / 3600) % 24, d = Math.floor(seconds / 86400);
  if (d) return `${d}d ${two(h)}h ${two(m)}m`;
  if (h) return `${h}h ${two(m)}m ${two(s)}s`;
  return m ? `${m}m ${two(s)}s` : `${s}s`;
}

const since = (iso) => Math.max(0, Math.floor((Date.now() - Date.parse(iso)) / 1000));

function say(element, text) {
  if (text !== null && element.textContent !== text) element.textContent = text;
}

function tick() {
  if (document.hidden) return;
  for (const e of document.querySelectorAll("[data-since]")) say(e, duration(since(e.dataset.since)));
  for (const e of document.querySelectorAll("[data-ago]")) say(e, relative(since(e.dataset.ago))?.replace(/\./g, "") ?? null);
}

window.setInterval(tick, 1000);
document.addEventListener("visibilitychange", tick);
