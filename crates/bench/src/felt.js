// Measures inside the page from a key going down to the paint of what it brought. Put into the
// counter's window by felt.rs.
(() => {
  /** When the frame is painted that shows the page as it is now. */
  const painted = () =>
    new Promise((done) =>
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => done(performance.now());
        port2.postMessage(null);
      }),
    );

  let pressed = null;
  let took = null;
  let watch = null;
  addEventListener("keydown", (event) => (pressed ??= event.timeStamp), true);

  const felt = {
    /** The next key's effect in `place`, once nothing has changed there for `restMs`. */
    arm: (place, restMs) => {
      watch?.disconnect();
      [pressed, took] = [null, null];
      let turn = 0;
      const own = new MutationObserver(async () => {
        if (pressed === null) return;
        const mine = (turn += 1);
        const at = await painted();
        const us = Math.round((at - pressed) * 1000);
        setTimeout(() => {
          if (mine !== turn || own !== watch) return;
          took = us;
          own.disconnect();
        }, restMs);
      });
      watch = own;
      const all = { subtree: true, childList: true, characterData: true, attributes: true };
      own.observe(document.querySelector(place), all);
    },
    /** In microseconds; null until then. */
    taken: () => took,
    /** A field of the same window that shows what is typed, and asks nobody. */
    bare: () => {
      const place = document.createElement("div");
      const [field, echo] = [document.createElement("input"), document.createElement("output")];
      place.id = "felt-bare";
      field.type = "text";
      field.oninput = () => (echo.textContent = field.value);
      place.append(field, echo);
      document.body.append(place);
      field.focus();
    },
    end: () => document.querySelector("#felt-bare").remove(),
  };
  Object.assign(window, { __felt: felt });
})();
