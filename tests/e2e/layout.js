// What is wrong with the layout of the page at this width, as sentences. An expression for `page.evaluate`.
(() => {
  const wrong = [];
  const shape = element => {
    const named = element.closest("[id]");
    const own = element.tagName.toLowerCase() + [...element.classList].map(name => `.${name}`).join("");
    return named && named !== element ? `#${named.id} ${own}` : own;
  };
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) {
    const widest = [...document.body.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > innerWidth + 1);
    wrong.push(`the page scrolls sideways (${root.scrollWidth}): ${widest.slice(-1).map(shape)}`);
  }
  // What is only heard, or hidden with what holds it.
  const unseen = style => style.visibility === "hidden" || style.clipPath !== "none";
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const said = new Set();
  const say = (element, text) => {
    const line = `${text}: ${shape(element)}`;
    if (!said.has(line)) wrong.push(line);
    said.add(line);
  };
  while (texts.nextNode()) {
    const node = texts.currentNode, parent = node.parentElement;
    if (!node.data.trim() || parent.closest("svg, script, style, option, textarea")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const boxes = [...range.getClientRects()];
    if (!boxes.length) continue;
    const right = Math.max(...boxes.map(box => box.right)), low = Math.max(...boxes.map(box => box.bottom));
    const left = Math.min(...boxes.map(box => box.left));
    let hidden = false;
    for (let holder = parent, scrolled = false; holder && holder !== document.body; holder = holder.parentElement) {
      const style = getComputedStyle(holder), box = holder.getBoundingClientRect();
      if (unseen(style)) { hidden = true; break; }
      const across = ["hidden", "clip"].includes(style.overflowX), down = ["hidden", "clip"].includes(style.overflowY);
      scrolled ||= ["auto", "scroll"].includes(style.overflowX);
      if (scrolled || style.display === "inline") continue;
      const isCut = (across && (right > box.right + 1 || left < box.left - 1)) || (down && low > box.bottom + 3);
      const isNamed = !parent.closest("time") && (holder.closest("[title]") || holder.querySelector("[title]"));
      if (isCut && !isNamed) say(holder, `cut: "${node.data.trim().slice(0, 40)}"`);
    }
    if (hidden || parent.closest("pre, code, .mono, .log")) continue;
    // A word of ordinary length stands on one line; a name may be broken after an underscore.
    for (const word of node.data.matchAll(/(?<![\p{L}\p{N}])[\p{L}\p{N}]{2,20}(?![\p{L}\p{N}])/gu)) {
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map(box => Math.round(box.top)));
      if (lines.size > 1) say(parent, `broken in mid-word: "${word[0]}"`);
    }
  }
  // The state of a row does not lie on its date, which is never cut.
  for (const row of document.querySelectorAll("tr")) {
    const date = row.querySelector(".main-cell time"), state = row.querySelector(".state-cell .status");
    if (!date || !state) continue;
    const a = date.getBoundingClientRect(), b = state.getBoundingClientRect();
    const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (width > 1 && height > 1) say(state, `lies on "${date.textContent.trim()}"`);
  }
  return wrong;
})()
