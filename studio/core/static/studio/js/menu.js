// Menus are <details>: this closes them by Escape, by a click elsewhere, and when another opens.
// With none open, Escape follows the link that closes the panel of a page (data-escape).
const open = () => document.querySelectorAll("details[data-menu][open]");

document.addEventListener("click", (event) => {
  for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  if (!open().length && !document.querySelector("dialog[open], :popover-open") && !event.target.matches("input, select, textarea")) {
    document.querySelector("a[data-escape]")?.click();
  }
  for (const menu of open()) {
    const inside = menu.contains(document.activeElement);
    menu.open = false;
    if (inside) menu.querySelector("summary").focus();
  }
});

document.addEventListener("toggle", (event) => {
  if (!event.target.matches?.("details[data-menu]") || !event.target.open) return;
  for (const menu of open()) if (menu !== event.target) menu.open = false;
}, true);
