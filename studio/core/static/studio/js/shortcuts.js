// Keys listed by `?`. None fires inside a field, with a modifier, in an open dialog or when switched off.
const list = document.getElementById("shortcuts");
const off = () => localStorage.getItem("studio-shortcuts") === "off";
let went = 0; // when `g` was pressed

const follow = (address) => address && window.location.assign(address);
const press = (selector) => document.querySelector(selector)?.click();

function rows(step) {
  const links = [...document.querySelectorAll(".table tbody tr")].map((row) => row.querySelector(".main-cell a, a")).filter(Boolean);
  const at = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
  links[Math.min(links.length - 1, Math.max(0, at + step))]?.focus();
}

const keys = {
  "/": () => document.querySelector('input[type="search"]')?.focus(),
  "?": () => list.showModal(),
  r: () => window.location.reload(),
  s: () => press("[data-key-submit]"),
  c: () => press("[data-copy-rest]"),
  j: () => rows(1),
  k: () => rows(-1),
  x: () => document.activeElement.closest("tr")?.querySelector('input[name="selected"]')?.click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !list || off()) return;
  if (event.target.matches("input, select, textarea, [contenteditable]") || document.querySelector("dialog[open]")) return;
  if (Date.now() - went < 1000 && (event.key === "e" || event.key === "r")) {
    went = 0;
    follow(event.key === "e" ? list.dataset.goE : list.dataset.goR);
  } else if (event.key === "g") {
    went = Date.now();
  } else if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
});

for (const button of document.querySelectorAll("[data-shortcuts]")) {
  button.hidden = false;
  button.addEventListener("click", () => list.showModal());
}
const box = list?.querySelector("[data-shortcuts-on]");
if (box) {
  box.checked = !off();
  box.addEventListener("change", () => localStorage.setItem("studio-shortcuts", box.checked ? "on" : "off"));
}
