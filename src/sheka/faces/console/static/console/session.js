// Warns before an idle session ends, and lets its reader stay (WCAG 2.2.1). The server keeps the time: another tab may
// have kept the session alive, so it is asked before anything is said.
const dialog = document.getElementById("session");
const AGAIN = 20;

async function ask(address, options) {
  const answer = await fetch(address, { headers: { Accept: "application/json" }, ...options });
  if (answer.redirected || !answer.ok) {
    location.assign(`${dialog.dataset.gone}?next=${encodeURIComponent(location.pathname + location.search)}`);
    return null;
  }
  return answer.json();
}

function later(seconds) {
  setTimeout(look, Math.max(seconds, 1) * 1000);
}

async function look() {
  const found = await ask(dialog.dataset.ask);
  if (!found) {
    return;
  }
  const warn = Number(dialog.dataset.warn);
  if (found.left > warn) {
    dialog.close();
    later(found.left - warn);
    return;
  }
  dialog.querySelector("[data-last]").hidden = !found.last;
  dialog.querySelector("[data-idle]").hidden = found.last;
  if (!dialog.open) {
    dialog.showModal();
  }
  later(Math.min(AGAIN, found.left + 1));
}

function stay() {
  const token = dialog.querySelector("[name=csrfmiddlewaretoken]").value;
  ask(dialog.dataset.stay, { method: "POST", headers: { "X-CSRFToken": token, Accept: "application/json" } });
}

if (dialog) {
  dialog.querySelector("[data-stay-button]").addEventListener("click", stay);
  dialog.addEventListener("cancel", stay);
  later(Number(dialog.dataset.left) - Number(dialog.dataset.warn));
}
