// What the open box weighs: from the scale, or typed in where the scale has no cable.

import { call } from "./calls.js";
import { t } from "./language.js";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", ".", "0", "⌫"];
const byId = (id) => document.getElementById(id);

/** The field at the lower edge; only an open box is weighed. */
export function weight({ parcel, weight_g: grams }) {
  const field = byId("s-weight");
  field.hidden = parcel.stage !== "open" || !["waiting", "held", "retake"].includes(parcel.phase);
  field.className = `state ${grams === null ? "" : "good"}`;
  field.lastElementChild.textContent = grams === null ? t("not_weighed") : t("weighed", { weight: Math.round(grams * 10) / 10 });
}

function ask() {
  byId("weigh-input").value = "";
  byId("weigh-error").textContent = "";
  byId("weigh-pad").replaceChildren(...KEYS.map((key) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = key;
    if (key === "⌫") made.setAttribute("aria-label", t("erase"));
    made.addEventListener("click", () => {
      const field = byId("weigh-input");
      field.value = key === "⌫" ? field.value.slice(0, -1) : (field.value + key).slice(0, 9);
    });
    return made;
  }));
  byId("weigh-dialog").showModal();
  typing(true);
}

/** The open box is not looked at by itself while its weight is being typed. */
function typing(now) {
  call("typing", { now }).catch(() => {}); // then the weight may come too late, and its own refusal says so
}

async function send(event) {
  event.preventDefault();
  const typed = byId("weigh-input").value.trim().replace(",", ".");
  const grams = /^\d+(\.\d+)?$/.test(typed) ? Number(typed) : Number.NaN; // a slip of the keys is not zero grams
  try {
    if (Number.isNaN(grams)) throw Object.assign(new Error("no number"), { code: "weight" });
    await call("weigh", { weight_g: grams });
    byId("weigh-dialog").close();
  } catch (refusal) {
    byId("weigh-error").textContent = t(`refused.${refusal.code}`, { text: refusal.message });
  }
}

byId("s-weight").addEventListener("click", ask);
byId("weigh-cancel").addEventListener("click", () => byId("weigh-dialog").close());
byId("weigh-dialog").addEventListener("close", () => typing(false));
byId("weigh-dialog").querySelector("form").addEventListener("submit", send);
