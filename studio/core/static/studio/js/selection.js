// Rows ticked in a form marked data-selection: its commands (data-needs-selection) wait for one.
// A refresh that replaces the table keeps what was ticked. Without this the server says "select a row".
const ticked = new Map();

function refresh(form) {
  const boxes = [...document.querySelectorAll(`input[name="selected"]`)].filter((b) => b.form === form);
  const chosen = boxes.filter((box) => box.checked);
  ticked.set(form.id, new Set(chosen.map((box) => box.value)));
  for (const button of document.querySelectorAll("[data-needs-selection]")) {
    if (button.form !== form) continue;
    button.disabled = chosen.length === 0;
    button.title = chosen.length ? "" : button.dataset.reason;
  }
  for (const all of document.querySelectorAll("[data-select-all]")) {
    if (all.form !== form) continue;
    all.hidden = false;
    all.checked = boxes.length > 0 && chosen.length === boxes.length;
    all.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
  }
}

const forms = () => document.querySelectorAll("form[data-selection]");

document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (!form?.matches("[data-selection]")) return;
  if (event.target.matches("[data-select-all]")) {
    for (const box of document.querySelectorAll(`input[name="selected"]`)) {
      if (box.form === form) box.checked = event.target.checked;
    }
  }
  refresh(form);
});

document.addEventListener("htmx:afterSwap", () => {
  for (const form of forms()) {
    const kept = ticked.get(form.id) ?? new Set();
    for (const box of document.querySelectorAll(`input[name="selected"]`)) {
      if (box.form === form && kept.has(box.value)) box.checked = true;
    }
    refresh(form);
  }
});

// The browser restores ticks after a step back, later than scripts run.
window.addEventListener("pageshow", () => forms().forEach(refresh));
forms().forEach(refresh);
