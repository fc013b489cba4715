// Finding in the lines of a log that are shown: matches are painted as highlights, which leave the
// text alone, so that what a poll appends is found as well and a selection survives.
const MOST = 5000;
const paint = window.CSS?.highlights && window.Highlight;

function textNodes(text) {
  const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) found.push(walker.currentNode);
  return found;
}

// A match may run over several nodes, since colours cut a line into pieces; never over lines.
function matches(text, word) {
  const nodes = textNodes(text), starts = [];
  let whole = "";
  for (const node of nodes) { starts.push(whole.length); whole += node.data; }
  const sought = word.toLowerCase(), lower = whole.toLowerCase(), ranges = [];
  if (!sought || lower.length !== whole.length) return ranges;
  let at = lower.indexOf(sought), index = 0;
  while (at >= 0 && ranges.length < MOST) {
    const range = document.createRange(), end = at + sought.length;
    while (index + 1 < nodes.length && starts[index + 1] <= at) index += 1;
    range.setStart(nodes[index], at - starts[index]);
    let last = index;
    while (last + 1 < nodes.length && starts[last + 1] < end) last += 1;
    range.setEnd(nodes[last], end - starts[last]);
    ranges.push(range);
    at = lower.indexOf(sought, end);
  }
  return ranges;
}

function prepare(pane) {
  const form = pane.querySelector("[data-log-find]"), text = pane.querySelector("[data-log-text]");
  if (!form?.hidden) return;
  form.hidden = false;
  const field = form.querySelector("input"), count = form.querySelector("[data-log-count]");
  let found = [], now = -1;

  function show() {
    count.textContent = field.value ? `${now + 1}/${found.length}` : "";
    if (!paint) return;
    window.CSS.highlights.set("found", new window.Highlight(...found));
    window.CSS.highlights.set("found-now", new window.Highlight(...found.slice(now, now + 1)));
  }
  function search() {
    found = matches(text, field.value);
    now = Math.min(now, found.length - 1);
    show();
  }
  function step(by) {
    if (!found.length) return;
    now = now < 0 ? (by > 0 ? 0 : found.length - 1) : (now + by + found.length) % found.length;
    const place = found[now].getBoundingClientRect(), box = text.getBoundingClientRect();
    if (place.top < box.top || place.bottom > box.bottom) text.scrollTop += place.top - box.top - box.height / 3;
    if (place.left < box.left || place.right > box.right) text.scrollLeft += place.left - box.left - box.width / 3;
    show();
  }

  field.addEventListener("input", () => { now = -1; search(); step(1); });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    step(event.shiftKey ? -1 : 1);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-find]");
    if (button) step(Number(button.dataset.find));
  });
  new MutationObserver(() => { if (field.value) search(); }).observe(text, { childList: true });
}

const all = (root) => root.querySelectorAll("[data-log]").forEach(prepare);
document.addEventListener("studio:content", (event) => all(event.detail));
all(document);
