// The verify page: works out the digest of a file here and says whether it is the paper that was made.
import { sm3 } from "./sm3.js";

const part = document.querySelector("[data-compare]");
const wanted = document.querySelector("[data-digest]").textContent.trim();
const answer = part.querySelector("[data-answer]");
part.hidden = false;
part.querySelector("input").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (file) {
    const same = sm3(new Uint8Array(await file.arrayBuffer())) === wanted;
    answer.textContent = same ? answer.dataset.same : answer.dataset.other;
    answer.className = same ? "notice notice--good" : "notice notice--stop";
  }
});
