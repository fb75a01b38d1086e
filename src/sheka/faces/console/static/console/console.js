// The little that the console needs beside htmx: govuk components, keys, tables that scroll.
import { ErrorSummary, SkipLink, createAll } from "./build/govuk-frontend.min.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
createAll(ErrorSummary);
createAll(SkipLink);

// Single keys (WCAG 2.1.4): off while somebody types, and off for good when the reader says so in the help.
const OFF = "sheka-keys-off";
const WAIT = 1500;
const help = document.getElementById("help");
const switched = document.getElementById("keys-on");
let going = 0;

function row(step) {
  const rows = [...document.querySelectorAll(".list tbody th a")];
  if (rows.length) {
    const here = rows.indexOf(document.activeElement);
    rows[Math.min(Math.max(here + step, 0), rows.length - 1)].focus();
  }
}

const keys = {
  "/": () => document.getElementById("search")?.focus(),
  "?": () => help?.showModal(),
  g: () => { going = Date.now(); },
  j: () => row(1),
  k: () => row(-1),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=radio]), textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || help?.open || localStorage.getItem(OFF)) {
    return;
  }
  const place = Date.now() - going < WAIT && document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
  going = 0;
  const own = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (place) {
    place.click();
  } else if (own) {
    own.focus();
    own.click();
  } else if (keys[event.key]) {
    keys[event.key]();
  } else {
    return;
  }
  event.preventDefault();
});

if (switched) {
  switched.checked = !localStorage.getItem(OFF);
  switched.addEventListener("change", () => {
    if (switched.checked) {
      localStorage.removeItem(OFF);
    } else {
      localStorage.setItem(OFF, "1");
    }
  });
}

document.getElementById("help-link")?.addEventListener("click", (event) => {
  if (help) {
    event.preventDefault();
    help.showModal();
  }
});

// What is not chosen does not stand in the address of a list.
document.addEventListener("htmx:configRequest", (event) => {
  if (event.target.matches(".filters")) {
    for (const [name, value] of [...event.detail.formData]) {
      if (value === "") {
        event.detail.formData.delete(name);
      }
    }
  }
});

// Whoever has just sent a form is led on by its answer: what the page asks for by itself meanwhile leads nowhere.
const SENT_MILLISECONDS = 10000;
let sent = -Infinity;

document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented && !event.target.matches("[hx-get], [hx-post]")) {
    sent = performance.now();
  }
});

document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (performance.now() - sent < SENT_MILLISECONDS && event.target.matches("[hx-trigger^=every]")) {
    event.preventDefault();
  }
});

// A table or picture wider than the screen can be scrolled by keyboard, and says what it is.
function reach() {
  for (const frame of document.querySelectorAll(".scroll")) {
    const said = frame.querySelector("caption, title");
    if (!said) {
      continue; // the page itself says what it is
    }
    if (frame.scrollWidth > frame.clientWidth) {
      frame.tabIndex = 0;
      frame.setAttribute("role", "region");
      frame.setAttribute("aria-label", said.textContent);
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) {
        frame.removeAttribute(name);
      }
    }
  }
}

reach();
addEventListener("resize", reach);
document.addEventListener("htmx:afterSettle", reach);
