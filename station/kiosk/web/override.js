// A second person releases a held parcel: a reason, a name, a PIN. Works with gloves, keys and the screen alike.

import { call } from "./calls.js";
import { t } from "./language.js";

const REASONS = ["sound", "mark_elsewhere", "counted", "label_right"];
const byId = (id) => document.getElementById(id);
let asked = { run: null };
let reason = "";
let approver = "";

function choices(box, options, chosen, onChoose) {
  const focused = box.contains(document.activeElement) ? document.activeElement.dataset.value : null;
  box.replaceChildren(...options.map(({ value, text }, index) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "choice";
    made.setAttribute("role", "radio");
    made.setAttribute("aria-checked", String(value === chosen));
    made.tabIndex = value === chosen || (!chosen && index === 0) ? 0 : -1;
    made.textContent = text;
    made.dataset.value = value;
    made.addEventListener("click", () => onChoose(value));
    made.addEventListener("keydown", (event) => arrow(event, box));
    return made;
  }));
  if (focused !== null) box.querySelector(`[data-value="${CSS.escape(focused)}"]`)?.focus();
}

/** Arrow keys move within a group of radios, as everywhere. */
function arrow(event, box) {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const all = [...box.children];
  const next = all[(all.indexOf(event.target) + step + all.length) % all.length];
  const { value } = next.dataset;
  next.click();
  box.querySelector(`[data-value="${CSS.escape(value)}"]`).focus();
}

function draw(view) {
  const reasons = REASONS.map((code) => ({ value: code, text: t(`reason.${code}`) }));
  choices(byId("reasons"), reasons, reason, (value) => { reason = value; byId("reason-text").value = ""; draw(view); });
  const others = view.approvers.filter((name) => name.toLowerCase() !== (view.operator ?? "").toLowerCase());
  if (!approver && others.length === 1) [approver] = others;
  choices(byId("approvers"), others.map((name) => ({ value: name, text: name })), approver,
    (value) => { approver = value; draw(view); byId("pin").focus(); });
}

function pad() {
  const keys = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "⌫"];
  byId("pad").replaceChildren(...keys.map((key) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = key;
    if (key === "⌫") made.setAttribute("aria-label", t("erase"));
    made.addEventListener("click", () => {
      const pin = byId("pin");
      pin.value = key === "⌫" ? pin.value.slice(0, -1) : (pin.value + key).slice(0, 12);
    });
    return made;
  }));
}

/** Ask for a second person. title: what they decide. proof: what they look at; without it they choose a reason.
 * run({reason, approver, pin}). */
export function askSecond(view, { title, submit, proof = null, run }) {
  const reasons = proof === null;
  asked = { reasons, run };
  byId("proof").hidden = reasons;
  byId("proof").replaceChildren(...(proof ?? []));
  byId("override-title").textContent = title;
  byId("override-submit").textContent = submit;
  byId("reasons").parentElement.hidden = !reasons;
  reason = "";
  approver = "";
  byId("reason-text").value = byId("pin").value = "";
  byId("override-error").textContent = view.approvers.length ? "" : t("no_approvers");
  draw(view);
  pad();
  byId("override-dialog").showModal();
}

export const askOverride = (view) => askSecond(view, {
  title: t("override_title"), submit: t("override_submit"), run: (told) => call("override", told),
});

export function prepareOverride(current) {
  const dialog = byId("override-dialog");
  byId("override-cancel").addEventListener("click", () => dialog.close());
  byId("reason-text").addEventListener("input", () => { reason = ""; draw(current()); });
  dialog.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const error = byId("override-error");
    const text = byId("reason-text").value.trim() || (reason && t(`reason.${reason}`));
    if (asked.reasons && !text) error.textContent = t("refused.reason");
    else if (!approver) error.textContent = t("refused.no_approver");
    else {
      try {
        await asked.run({ reason: text, approver, pin: byId("pin").value });
        dialog.close();
      } catch (refusal) {
        error.textContent = t(`refused.${refusal.code}`, { wait: Math.ceil(refusal.wait), text: refusal.text });
        byId("pin").value = "";
        byId("pin").focus();
      }
    }
  });
}
