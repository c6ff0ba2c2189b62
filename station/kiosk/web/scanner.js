// Scanner bursts, caught at document level wherever the focus is; and typing, which goes to the order field.

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
    if (event.key.length !== 1) return; // Shift, Tab, arrows
    if (!quick) {
      burst = "";
      before = inField ? { field: event.target, text: event.target.value } : { field, text: field.value };
    }
    burst += event.key;
    last = event.timeStamp;
    if (inField) return;
    const alone = event.key === " " && burst === " ";
    if (alone && (event.target instanceof HTMLButtonElement || document.querySelector("dialog[open]"))) return;
    event.preventDefault();
    if (alone && field.value === "") onSpace();
    else if (!document.querySelector("dialog[open]")) field.value += event.key;
  }, { capture: true });

  document.addEventListener("keydown", (event) => {
    const onBody = !(event.target instanceof HTMLButtonElement || event.target instanceof HTMLInputElement);
    if (!onBody || document.querySelector("dialog[open]")) return;
    if (event.key === "Enter" && field.value) field.form.requestSubmit();
    if (event.key === "Backspace") field.value = field.value.slice(0, -1);
    if (event.key === "Escape") field.value = "";
  });
}
