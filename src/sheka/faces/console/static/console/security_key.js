// Security keys: a form with data-security-key asks the browser's WebAuthn with its options, and posts the answer.
const KINDS = { get: "parseRequestOptionsFromJSON", create: "parseCreationOptionsFromJSON" };

async function answerOf(kind, options) {
  const parse = globalThis.PublicKeyCredential?.[KINDS[kind]];
  if (!parse) {
    throw new Error("this browser knows no security keys");
  }
  const publicKey = parse.call(PublicKeyCredential, JSON.parse(options));
  const credential = await navigator.credentials[kind]({ publicKey });
  return JSON.stringify(credential.toJSON());
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const kind = form.dataset.securityKey;
  const field = kind && form.querySelector("[data-answer]");
  if (!field || field.value) {
    return;
  }
  event.preventDefault();
  const failure = form.querySelector("[data-failure]");
  failure.hidden = true;
  answerOf(kind, form.dataset.options).then(
    (answer) => {
      field.value = answer;
      form.submit();
    },
    () => {
      failure.hidden = false;
    },
  );
});
