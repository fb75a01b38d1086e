// The little that the console needs beside htmx: govuk components, and `/` to reach the search box.
import { initAll } from "./build/govuk-frontend.min.js";

initAll();

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const box = document.getElementById("search");
    if (box) {
      event.preventDefault();
      box.focus();
    }
  }
});
