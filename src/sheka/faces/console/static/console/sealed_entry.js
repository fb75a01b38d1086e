// Shares and components (K6) leave the custodian's browser sealed to the encryption machine's one-time key, and come to
// it sealed to a key of its own. Format: docs/security/encryption-machine.md, "sheka entry 1"; the web process sees
// neither. A field for plain text has no name, so that no form ever posts it.
//
// form[data-sealed-entry="/address/of/entry-key"]: what stands in [data-plain] is sealed into the field named "sealed",
//   the entry's id goes into "entry". With data-bytes it is a component of that many bytes in hexadecimal, else a text
//   (a share). [data-generate] fills in a new random component, once; [data-written] must repeat it then.
// form[data-receiver="name"]: makes a key of this browser and posts its public half as "receiver".
// form[data-received="name"] with data-sealed: its button [data-open] shows the text once in [data-shown]; it is posted,
//   without any text, when [data-written] repeats what was shown.

const INFO = new TextEncoder().encode("sheka entry 1");
const CURVE = { name: "ECDH", namedCurve: "P-256" };
const VERSION = 1;

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("").toUpperCase();

export function bytesOf(text) {
  if (text.length % 2 || /[^0-9a-f]/i.test(text)) {
    throw new RangeError("no hexadecimal");
  }
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function joined(...parts) {
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

async function sealingKey(own, peer, entry, use) {
  const shared = await crypto.subtle.deriveBits({ name: "ECDH", public: peer }, own, 256);
  const secret = await crypto.subtle.importKey("raw", shared, "HKDF", false, ["deriveKey"]);
  const way = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: joined(INFO, entry) };
  return crypto.subtle.deriveKey(way, secret, { name: "AES-GCM", length: 256 }, false, [use]);
}

const publicKey = (raw) => crypto.subtle.importKey("raw", raw, CURVE, false, []);

/** Seals bytes to a P-256 public key (65 bytes) for an entry (16 bytes). */
export async function seal(to, entry, plain) {
  const own = await crypto.subtle.generateKey(CURVE, false, ["deriveBits"]);
  const key = await sealingKey(own.privateKey, await publicKey(to), entry, "encrypt");
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData: entry }, key, plain);
  const ephemeral = new Uint8Array(await crypto.subtle.exportKey("raw", own.publicKey));
  return joined(Uint8Array.of(VERSION), ephemeral, nonce, new Uint8Array(sealed));
}

/** Opens what was sealed to a key pair of this browser. */
export async function open(pair, sealed) {
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const entry = new Uint8Array(await crypto.subtle.digest("SHA-256", raw)).slice(0, 16);
  if (sealed[0] !== VERSION) {
    throw new RangeError("another version of the format");
  }
  const key = await sealingKey(pair.privateKey, await publicKey(sealed.slice(1, 66)), entry, "decrypt");
  const way = { name: "AES-GCM", iv: sealed.slice(66, 78), additionalData: entry };
  return new Uint8Array(await crypto.subtle.decrypt(way, key, sealed.slice(78)));
}

/** A component as it is written on paper: groups of four, and a last group that finds a slip of the pen. */
export async function onPaper(bytes) {
  const check = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).slice(0, 2);
  return `${hex(bytes).replace(/.{4}(?=.)/g, "$& ")} - ${hex(check)}`;
}

/** The bytes of what somebody typed from paper; without the last group it is taken as it is. */
export async function fromPaper(text, length) {
  const [main, check, more] = text.toUpperCase().replace(/\s/g, "").split("-");
  const bytes = bytesOf(main);
  if (more !== undefined || (length && bytes.length !== length)) {
    throw new RangeError("another length");
  }
  if (check !== undefined && !(await onPaper(bytes)).endsWith(`- ${check}`)) {
    throw new RangeError("the last group does not fit");
  }
  return bytes;
}

// The key pairs of this browser: the private half cannot be read out, not even by this page.
function store(mode, work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("sheka-sealed-entry", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("pairs");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const base = opening.result;
      const request = work(base.transaction("pairs", mode).objectStore("pairs"));
      request.onsuccess = () => {
        base.close();
        resolve(request.result);
      };
      request.onerror = () => reject(request.error);
    };
  });
}

async function pairFor(name) {
  const kept = await store("readonly", (pairs) => pairs.get(name));
  if (kept) {
    return kept;
  }
  const made = await crypto.subtle.generateKey(CURVE, false, ["deriveBits"]);
  await store("readwrite", (pairs) => pairs.put(made, name));
  return made;
}

const field = (form, what) => form.querySelector(`[data-${what}]`);
const part = (form, name) => form.elements.namedItem(name);

function fail(form, what) {
  for (const one of form.querySelectorAll("[data-failure]")) {
    one.hidden = one.dataset.failure !== what;
  }
}

async function entryKey(form) {
  const body = new URLSearchParams({ csrfmiddlewaretoken: part(form, "csrfmiddlewaretoken").value });
  const answer = await fetch(form.dataset.sealedEntry, { method: "POST", body, headers: { Accept: "application/json" } });
  if (!answer.ok) {
    throw new Error(`entry key: ${answer.status}`);
  }
  return answer.json();
}

async function typed(text, length) {
  if (length) {
    return fromPaper(text, length);
  }
  if (!text.trim()) {
    throw new RangeError("nothing");
  }
  return new TextEncoder().encode(text.trim());
}

const same = (one, other) => one.replace(/\s/g, "").toUpperCase() === other.replace(/\s/g, "").toUpperCase();

async function enter(form) {
  const plain = field(form, "plain");
  const written = field(form, "written");
  let bytes;
  try {
    bytes = await typed(plain.value, Number(form.dataset.bytes ?? 0));
    if (written && !written.disabled && !same(written.value, plain.value)) {
      throw new RangeError("written down otherwise");
    }
  } catch {
    return fail(form, written && !written.disabled ? "written" : "shape");
  }
  try {
    const key = await entryKey(form);
    part(form, "sealed").value = hex(await seal(bytesOf(key.public_key), bytesOf(key.entry), bytes));
    part(form, "entry").value = key.entry;
  } catch {
    return fail(form, "machine");
  } finally {
    bytes.fill(0);
  }
  plain.value = "";
  if (written) {
    written.value = "";
  }
  return form.submit();
}

async function generate(form) {
  const bytes = crypto.getRandomValues(new Uint8Array(Number(form.dataset.bytes)));
  const plain = field(form, "plain");
  plain.value = await onPaper(bytes);
  plain.readOnly = true;
  bytes.fill(0);
  field(form, "generate").disabled = true;
  field(form, "repeat").hidden = false;
  field(form, "written").disabled = false;
}

async function receive(form) {
  const pair = await pairFor(form.dataset.receiver);
  part(form, "receiver").value = hex(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)));
  form.submit();
}

async function show(form) {
  const pair = await store("readonly", (pairs) => pairs.get(form.dataset.received));
  if (!pair) {
    return fail(form, "browser");
  }
  const shown = field(form, "shown");
  shown.textContent = new TextDecoder().decode(await open(pair, bytesOf(form.dataset.sealed)));
  field(form, "once").hidden = false;
  field(form, "open").disabled = true;
  return field(form, "written").focus();
}

async function taken(form) {
  const shown = field(form, "shown");
  const written = field(form, "written");
  if (!shown.textContent || !same(shown.textContent, written.value)) {
    return fail(form, "written");
  }
  shown.textContent = "";
  written.value = "";
  await store("readwrite", (pairs) => pairs.delete(form.dataset.received));
  return form.submit();
}

const VERBS = { sealedEntry: enter, receiver: receive, received: taken };

document.addEventListener("submit", (event) => {
  const name = Object.keys(VERBS).find((one) => one in event.target.dataset);
  if (name) {
    event.preventDefault();
    fail(event.target, "");
    VERBS[name](event.target).catch(() => fail(event.target, "machine"));
  }
});

document.addEventListener("click", (event) => {
  const form = event.target.closest?.("form");
  if (event.target.matches?.("[data-generate]")) {
    generate(form);
  } else if (event.target.matches?.("[data-open]")) {
    show(form).catch(() => fail(form, "browser"));
  }
});
