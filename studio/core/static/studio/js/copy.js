// Copy buttons: shown only where they can work, and they say in words that they did.
function prepare(root) {
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
}

async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Plain http on another host has no clipboard API.
  const field = document.createElement("textarea");
  field.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error("refused");
  return undefined;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  let said = button.dataset.copied;
  try {
    await write(button.dataset.copy);
  } catch {
    said = button.dataset.failed;
    const code = button.closest(".copy, .snippet")?.querySelector("code");
    if (code) window.getSelection().selectAllChildren(code);
  }
  let word = button.querySelector(".copied");
  if (!word) {
    word = document.createElement("span");
    word.className = "copied";
    word.setAttribute("role", "status");
    button.append(word);
  }
  word.textContent = said;
  window.setTimeout(() => { word.textContent = ""; }, 2500);
});

document.addEventListener("studio:content", (event) => prepare(event.detail));
document.addEventListener("htmx:afterSettle", (event) => prepare(event.target));
prepare(document);
