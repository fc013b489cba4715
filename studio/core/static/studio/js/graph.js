// Pan, zoom and keys for the pipeline graph. The view is the drawing's viewBox, kept on the canvas, so
// a poll that replaces the drawing moves nothing. Without this the drawing fits and its nodes are links.
const views = new WeakMap(); // canvas -> {x, y, w} in drawing units, or undefined: fitted

const drawingOf = (canvas) => canvas.querySelector("svg.drawing");
const size = (svg) => ({ w: svg.width.baseVal.value, h: svg.height.baseVal.value });

function fitted(svg) {
  // In the drawing's own scale when there is room, else all of it, with a margin.
  const own = size(svg), box = svg.parentElement.getBoundingClientRect();
  const scale = Math.min(1, (box.width - 32) / own.w, (box.height - 32) / own.h);
  return around(svg, own.w / 2, own.h / 2, box.width / scale);
}

function around(svg, cx, cy, w) {
  const box = svg.parentElement.getBoundingClientRect();
  return { x: cx - w / 2, y: cy - (w * box.height) / box.width / 2, w };
}

function apply(canvas) {
  const svg = drawingOf(canvas), box = svg.parentElement.getBoundingClientRect();
  if (!box.width || !box.height) return;
  const view = views.get(canvas) ?? fitted(svg);
  svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${(view.w * box.height) / box.width}`);
  canvas.querySelector("output").textContent = `${Math.round((box.width / view.w) * 100)}%`;
}

function zoom(canvas, factor, px, py) {
  const svg = drawingOf(canvas), box = svg.parentElement.getBoundingClientRect();
  const view = views.get(canvas) ?? fitted(svg);
  const w = Math.min(box.width * 8, Math.max(box.width / 3, view.w / factor));
  const fx = px === undefined ? 0.5 : (px - box.left) / box.width;
  const fy = py === undefined ? 0.5 : (py - box.top) / box.height;
  const grow = w - view.w;
  views.set(canvas, { x: view.x - grow * fx, y: view.y - ((grow * box.height) / box.width) * fy, w });
  apply(canvas);
}

const nodes = (canvas) => [...canvas.querySelectorAll("a.node")];
const next = (node) => node.dataset.next.split(" ").filter(Boolean);
const idOf = (node) => node.id.slice("node-".length);

// One tab stop: the node in focus, else the current one, else the first.
function rove(canvas, stop) {
  const all = nodes(canvas);
  stop ??= all.find((node) => node === document.activeElement) ?? all.find((node) => node.hasAttribute("aria-current")) ?? all[0];
  for (const node of all) node.setAttribute("tabindex", node === stop ? "0" : "-1");
}

function neighbour(canvas, node, key) {
  const all = nodes(canvas), byId = new Map(all.map((n) => [idOf(n), n]));
  const parents = all.filter((n) => next(n).includes(idOf(node)));
  if (key === "Home") return all[0];
  if (key === "End") return all.at(-1);
  if (key === "ArrowDown") return byId.get(next(node)[0]);
  if (key === "ArrowUp") return parents[0];
  // Left and right: among the nodes of the same layer.
  const top = node.getBoundingClientRect().top;
  const layer = all.filter((n) => Math.abs(n.getBoundingClientRect().top - top) < 4)
    .sort((a, b) => a.getBoundingClientRect().left - b.getBoundingClientRect().left);
  return layer[layer.indexOf(node) + (key === "ArrowRight" ? 1 : -1)];
}

function show(canvas, node) {
  const svg = drawingOf(canvas), box = svg.parentElement.getBoundingClientRect(), at = node.getBoundingClientRect();
  if (at.left >= box.left && at.right <= box.right && at.top >= box.top && at.bottom <= box.bottom) return;
  const place = node.transform.baseVal[0].matrix, own = node.getBBox();
  views.set(canvas, around(svg, place.e + own.width / 2, place.f + own.height / 2, (views.get(canvas) ?? fitted(svg)).w));
  apply(canvas);
}

function prepare(canvas) {
  canvas.dataset.scripted = "";
  canvas.querySelector(".graph-tools").hidden = false;
  let grip = null;
  canvas.addEventListener("click", (event) => {
    const tool = event.target.closest("[data-zoom]")?.dataset.zoom;
    if (tool === "in" || tool === "out") zoom(canvas, tool === "in" ? 1.25 : 0.8);
    if (tool === "fit") { views.delete(canvas); apply(canvas); }
    if (tool === "one") { const s = drawingOf(canvas); views.set(canvas, around(s, size(s).w / 2, size(s).h / 2, s.parentElement.clientWidth)); apply(canvas); }
    if (grip?.moved) event.preventDefault(); // a drag that began on a node is not a click on it
  });
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls the page
    event.preventDefault();
    zoom(canvas, event.deltaY < 0 ? 1.1 : 0.9, event.clientX, event.clientY);
  }, { passive: false });
  canvas.addEventListener("dragstart", (event) => event.preventDefault());
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.closest(".graph-tools")) return;
    grip = { x: event.clientX, y: event.clientY, view: views.get(canvas) ?? fitted(drawingOf(canvas)), held: true, moved: false };
  });
  window.addEventListener("pointermove", (event) => {
    if (!grip?.held) return;
    const dx = event.clientX - grip.x, dy = event.clientY - grip.y;
    if (!grip.moved && Math.hypot(dx, dy) < 4) return;
    grip.moved = true;
    const unit = grip.view.w / drawingOf(canvas).parentElement.clientWidth;
    views.set(canvas, { ...grip.view, x: grip.view.x - dx * unit, y: grip.view.y - dy * unit });
    apply(canvas);
  });
  for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, () => { if (grip) grip.held = false; });
  canvas.addEventListener("keydown", (event) => {
    const node = event.target.closest("a.node");
    if (!node || !/^(Arrow|Home|End)/.test(event.key)) return;
    event.preventDefault();
    neighbour(canvas, node, event.key)?.focus();
  });
  canvas.addEventListener("focusin", (event) => {
    const node = event.target.closest("a.node");
    if (node) { rove(canvas, node); show(canvas, node); }
  });
  new ResizeObserver(() => apply(canvas)).observe(canvas);
  canvas.addEventListener("htmx:afterSwap", () => { apply(canvas); rove(canvas); });
  apply(canvas);
  rove(canvas);
}

document.querySelectorAll("[data-graph]").forEach(prepare);
