// Scanner bursts, caught at document level wherever the focus is; and typing, which moves to the order field.

const BURST_GAP = 60; // ms between two keys of a scanner; a person's fingers are slower
const SHORTEST = 3; // characters; shorter bursts are fingers that rolled over two keys

/** onScan(text): a burst ended with Enter. onSpace(): the space bar, on its own. field: where typed characters go. */
export function listen({ field, onScan, onSpace }) {
  let burst = "";
  let last = -Infinity;
  let before = null; // the focused field and its text before the burst ran into it

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const inField = event.target instanceof HTMLInputElement;
    const quick = event.timeStamp - last <= BURST_GAP;
    if (event.key === "Enter") {
      if (quick && burst.length >= SHORTEST) {
        event.preventDefault();
        event.stopImmediatePropagation();
        if (before) before.field.value = before.text;
        const text = burst;
        burst = "";
        onScan(text);
      }
      return;
    }
    if (event.key.length !== 1) {
      if (event.key !== "Shift") last = -Infinity; // Tab, arrows: fingers, so no burst goes on across them
      return;
    }
    if (!quick) {
      burst = "";
      before = inField ? { field: event.target, text: event.target.value } : { field, text: field.value };
    }
    burst += event.key;
    last = event.timeStamp;
    const dialog = document.querySelector("dialog[open]");
    const alone = event.key === " " && burst === " ";
    if (alone && !dialog && field.value === "" && !(event.target instanceof HTMLButtonElement)) {
      event.preventDefault();
      onSpace();
    } else if (!inField && !(alone && event.target instanceof HTMLButtonElement)) {
      event.preventDefault();
      if (dialog) return;
      field.focus(); // the rest is typed where it can be seen, and Enter sends it
      field.value += event.key;
    }
  }, { capture: true });

  field.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    field.value = "";
    field.blur();
  });
}
