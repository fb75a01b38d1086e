// Keeping documents: each file is sent by itself, shows how far it is, and is answered with its own line.
import { camera } from "./camera.js";

const form = document.querySelector("[data-keep]");
const list = form.querySelector("[data-uploads]");
const words = document.querySelector("[data-words]").dataset;
const { kind, files } = form.elements;
const waiting = [];
let busy = false;
let pictures = 0;

const rule = () => document.querySelector(`[data-kind="${CSS.escape(kind.value)}"]`).dataset;
const say = (text) => { form.querySelector("[data-said]").textContent = text; };

function line(name) {
  const item = document.createElement("li");
  const title = document.createElement("strong");
  const told = document.createElement("span");
  const bar = document.createElement("progress");
  title.className = "number number--long";
  title.textContent = name;
  told.textContent = words.sending;
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", name);
  item.append(title, told, bar);
  list.prepend(item);
  return { item, told, bar };
}

function failed({ item, told, bar }, text) {
  item.className = "uploads__stop";
  told.textContent = text;
  bar.remove();
}

function send(job) {
  const { shown, body } = job;
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", location.pathname);
    request.setRequestHeader("HX-Request", "true");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) {
        shown.bar.value = event.loaded / event.total;
      }
    });
    request.upload.addEventListener("load", () => {
      shown.told.textContent = words.examined;
      shown.bar.removeAttribute("value");
    });
    request.addEventListener("load", () => {
      const answer = new DOMParser().parseFromString(request.responseText, "text/html").querySelector("li[class^=uploads__]");
      if (answer) {
        shown.item.replaceWith(document.adoptNode(answer));
      } else {
        failed(shown, words.failed);
      }
      resolve();
    });
    request.addEventListener("error", () => { failed(shown, words.failed); resolve(); });
    request.send(body);
  });
}

async function work() {
  if (busy) {
    return;
  }
  busy = true;
  while (waiting.length) {
    await send(waiting.shift());
  }
  busy = false;
  say(words.done);
}

function add(file, name) {
  const shown = line(name);
  if (file.size > Number(rule().bytes)) {
    failed(shown, words.toobig);
    return;
  }
  const body = new FormData();
  body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  body.append("kind", kind.value);
  body.append("files", file, name);
  waiting.push({ shown, body });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!files.files.length) {
    say(words.nothing);
    files.focus();
    return;
  }
  [...files.files].forEach((file) => add(file, file.name));
  files.value = "";
  work();
});

const part = camera(form.querySelector("[data-camera-part]"), (blob) => {
  pictures += 1;
  add(blob, `${words.picture} ${pictures}.jpg`);
  work();
}, say);
const offer = () => part.offer(rule().camera === "yes");
kind.addEventListener("change", offer);
offer();
