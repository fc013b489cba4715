// The theme is a cookie, so that the server prints it and no page flashes.
const choice = document.querySelector("[data-theme-choice]");

function show(value) {
  for (const button of choice.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.value === value));
}

if (choice) {
  choice.hidden = false;
  show(document.documentElement.dataset.theme ?? "");
  choice.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const value = button.value;
    document.cookie = `studio_theme=${value};path=/;max-age=${value ? 31536000 : 0};samesite=lax`;
    if (value) document.documentElement.dataset.theme = value;
    else delete document.documentElement.dataset.theme;
    show(value);
  });
}
