// The camera of a form: live picture, take, take again, use. Without a camera, or without leave to use it, the file
// control stays as it was. `use(blob)` gets what was taken.
export function camera(part, use, say) {
  const find = (name) => part.querySelector(`[data-${name}]`);
  const words = find("camera-words").dataset;
  const [stage, live, taken, why] = ["stage", "live", "taken", "why"].map(find);
  const [open, take, again, accept] = ["open", "take", "again", "use"].map(find);
  let stream = null;

  function show(...shown) {
    for (const one of [live, taken, take, again, accept]) {
      one.hidden = !shown.includes(one);
    }
  }

  function stop() {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    live.srcObject = null;
  }

  function close() {
    stop();
    stage.hidden = true;
    open.hidden = false;
    part.classList.remove("camera--on");
  }

  function refused(error) {
    const known = { NotAllowedError: words.denied, SecurityError: words.denied, NotFoundError: words.missing };
    why.textContent = known[error.name] ?? words.busy;
    why.hidden = false;
    close();
    open.focus();
  }

  async function begin() {
    why.hidden = true;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: 1920 }, height: { ideal: 1080 }, facingMode: "environment" },
        audio: false,
      });
      live.srcObject = stream;
      await live.play();
    } catch (error) {
      refused(error);
      return;
    }
    stage.hidden = false;
    open.hidden = true;
    part.classList.add("camera--on");
    show(live, take);
    say(words.on);
    take.focus();
  }

  function shoot() {
    [taken.width, taken.height] = [live.videoWidth, live.videoHeight];
    taken.getContext("2d").drawImage(live, 0, 0);
    show(taken, accept, again);
    say(words.shot);
    accept.focus();
  }

  open.addEventListener("click", begin);
  take.addEventListener("click", shoot);
  again.addEventListener("click", () => { show(live, take); take.focus(); });
  accept.addEventListener("click", () => taken.toBlob((blob) => { use(blob); show(live, take); take.focus(); }, "image/jpeg", 0.95));
  find("close").addEventListener("click", () => { close(); open.focus(); });
  part.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && stream) {
      close();
      open.focus();
    }
  });
  addEventListener("pagehide", stop);
  return {
    offer(offered) {
      part.hidden = !(offered && navigator.mediaDevices?.getUserMedia);
      if (part.hidden) {
        close();
      }
    },
  };
}
