// A row of tabs wider than the screen starts at the one that is open.
for (const row of document.querySelectorAll(".tabs")) {
  const open = row.querySelector("[aria-current]")?.getBoundingClientRect();
  if (open) row.scrollLeft += open.left - row.getBoundingClientRect().left - (row.clientWidth - open.width) / 2;
}
