// The kiosk: draws the state that the station tells, and passes on what the packer does. It keeps no state of its own
// but the language, the sound, and whether the packer has seen the verdict.

import { call } from "./calls.js";
import { items } from "./contents.js";
import { language, nameOf, other, speak, t } from "./language.js";
import { connect, drawOn } from "./live.js";
import { askOverride, prepareOverride } from "./override.js";
import { doText, look, panel } from "./panel.js";
import { isWide, overlay } from "./picture.js";
import { listen } from "./scanner.js";
import { mute, muted, sound, wake } from "./sound.js";
import { cameraNote, status } from "./status.js";
import { weight } from "./weight.js";

const byId = (id) => document.getElementById(id);
const CALLING = new Set(["held", "retake", "blocked"]);
let view = null;
let gone = false;
let shownTurn = -1;
let shownPicture = 0;
let told = null; // what the last call was refused for
let acknowledged = true;

async function act(name, body) {
  told = null;
  try {
    await call(name, body);
  } catch (refusal) {
    told = t(`refused.${refusal.code}`, { wait: Math.ceil(refusal.wait), text: refusal.text });
  }
  notice();
}

const acts = {
  take: () => act("take"),
  clear: () => act("clear"),
  goOn: () => act("go-on"),
  rescan: () => act("scan", { text: view.parcel.order ?? "" }),
  wrong: () => act("wrong", { inspection: view.parcel.inspection }),
  override: () => (view.operator ? askOverride(view) : chooseOperator()),
};

function scanned(text) {
  byId("order-input").value = "";
  byId("order-input").blur(); // the space bar takes the picture again
  if (document.querySelector("dialog[open]")) told = t("close_dialog_first");
  else act("scan", { text });
  notice();
}

function notice() {
  const note = byId("notice");
  const text = told ?? (view?.parcel.notice ? doText(view.parcel.notice) : "");
  note.hidden = !text;
  if (note.textContent !== text) note.textContent = text;
}

function picture() {
  const { pictures, verdict, phase } = view.parcel;
  const judged = verdict && pictures.length > 0 && phase !== "judging";
  byId("judged").hidden = byId("inset").hidden = !judged;
  byId("views").hidden = !judged;
  if (!judged) return;
  const { width, height, stage } = pictures[shownPicture];
  byId("judged-picture").src = `judged/${view.turn}/${shownPicture}.jpg`;
  byId("judged-picture").alt = t(`picture.${stage}`);
  byId("stage").classList.toggle("wide", isWide({ width, height }));
  overlay(byId("overlay"), verdict, shownPicture, { width, height });
  const focused = document.activeElement?.parentElement === byId("views") ? document.activeElement.textContent : null;
  byId("views").replaceChildren(...(pictures.length > 1 ? pictures.map(viewButton) : []), ...wrongButton());
  if (focused) [...byId("views").children].find((made) => made.textContent === focused)?.focus();
}

function viewButton(one, index) {
  const made = document.createElement("button");
  made.textContent = t(`picture.${one.stage}`);
  made.setAttribute("aria-pressed", String(index === shownPicture));
  made.addEventListener("click", () => { shownPicture = index; picture(); });
  return made;
}

/** One tap keeps the pictures as an example of a wrong verdict. */
function wrongButton() {
  const { inspection, override, phase, marked_wrong: marked } = view.parcel;
  if (!inspection || override || phase === "retake") return [];
  const made = document.createElement("button");
  made.textContent = t(marked ? "act.marked_wrong" : "act.wrong");
  made.dataset.act = "wrong";
  made.disabled = marked;
  made.addEventListener("click", acts.wrong);
  return [made];
}

/** The picture with the first finding, else the newest. */
function worthShowing({ pictures, verdict }) {
  const findings = verdict ? Object.values(verdict.checks).flatMap((check) => check.findings).filter((f) => f.box) : [];
  return findings.length ? findings[0].frame : Math.max(0, pictures.length - 1);
}

/** The order's items; what was learnt is told like a notice. */
function contents() {
  items(view, {
    said: (text) => { told = text; notice(); },
    all: (rows) => list(t("contents_list"), rows, [{ label: "close", kind: "plain" }]),
    named: () => { panel(view.parcel, acts); contents(); },
  });
}

function draw() {
  if (!view) return;
  if (view.turn !== shownTurn) {
    const first = shownTurn === -1;
    shownTurn = view.turn;
    shownPicture = worthShowing(view.parcel);
    acknowledged = !CALLING.has(view.parcel.phase);
    if (!first && view.parcel.phase === "released") sound("release");
    if (!first && CALLING.has(view.parcel.phase)) sound("hold");
    told = null;
    panel(view.parcel, acts);
    contents();
    picture();
  }
  byId("verdict").classList.toggle("unseen-yet", !acknowledged);
  byId("station").textContent = view.station;
  byId("operator-name").textContent = view.operator ?? t("who_packs");
  byId("operator-button").hidden = view.operators.length === 0;
  byId("operator-button").classList.toggle("asked", !view.operator);
  byId("operator-button").setAttribute("aria-label", t("operator_is", { name: view.operator ?? t("nobody") }));
  byId("models").textContent = view.models[0] ?? "";
  byId("brand").title = t("models", { models: view.models.join(", ") });
  status(view);
  weight(view);
  cameraNote(view, gone);
  notice();
  document.title = `${t(`word.${look(view.parcel).word}`)} · Lastlook`;
}

function header() {
  byId("language-button").textContent = nameOf(other());
  byId("language-button").lang = other() === "zh" ? "zh-CN" : "en";
  byId("sound-button").setAttribute("aria-pressed", String(muted));
  byId("sound-button").setAttribute("aria-label", t("mute"));
  byId("sound-button").querySelector("use").setAttribute("href", muted ? "#i-mute" : "#i-sound");
}

async function switchTo(wanted) {
  await speak(wanted);
  localStorage.setItem("language", wanted);
  header();
  if (!view) return;
  panel(view.parcel, acts);
  contents();
  picture();
  draw();
}

/** A dialog with a list: packers to choose from, or what the API refused. */
function list(title, rows, ends) {
  const dialog = byId("list-dialog");
  byId("list-title").textContent = title;
  byId("list-body").replaceChildren(...rows);
  byId("list-ends").replaceChildren(...ends.map(({ label, kind, run }) => {
    const made = document.createElement("button");
    made.className = kind;
    made.textContent = t(label);
    made.addEventListener("click", () => { dialog.close(); run?.(); });
    return made;
  }));
  dialog.showModal();
}

function chooseOperator() {
  const rows = view.operators.map((name) => {
    const made = document.createElement("button");
    made.className = "choice";
    made.textContent = name;
    made.setAttribute("aria-pressed", String(name === view.operator));
    made.addEventListener("click", () => { byId("list-dialog").close(); act("operator", { name }); });
    return made;
  });
  if (!rows.length) rows.push(paragraph(t("no_operators")));
  list(t("who_packs"), rows, [{ label: "cancel", kind: "plain" }]);
}

function paragraph(text) {
  const made = document.createElement("p");
  made.textContent = text;
  return made;
}

function showQueue() {
  const { waiting, parked, parked_latest: latest, reason } = view.api;
  const rows = [paragraph(t("queue_explained", { n: waiting }))];
  if (reason) rows.push(paragraph(t("api_says", { reason })));
  if (parked) rows.push(paragraph(t("parked_explained", { n: parked })));
  for (const { note, inspection } of latest) {
    const line = document.createElement("code");
    line.textContent = `${note} (${inspection})`;
    rows.push(line);
  }
  list(t("queue_title"), rows, [
    { label: "close", kind: "plain" },
    { label: "act.send_again", kind: "strong", run: () => act("retry") },
  ]);
}

function acknowledge() {
  wake();
  if (acknowledged) return;
  acknowledged = true;
  byId("verdict").classList.remove("unseen-yet");
}

byId("language-button").addEventListener("click", () => switchTo(other()));
byId("sound-button").addEventListener("click", () => { mute(!muted); header(); });
byId("operator-button").addEventListener("click", chooseOperator);
byId("s-queue").addEventListener("click", showQueue);
byId("order-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = byId("order-input").value;
  if (text.trim()) scanned(text);
});
document.addEventListener("pointerdown", acknowledge, { capture: true });
document.addEventListener("keydown", acknowledge, { capture: true });
listen({
  field: byId("order-input"),
  onScan: scanned,
  onSpace: () => { if (["waiting", "held", "retake"].includes(view?.parcel.phase)) acts.take(); },
});
prepareOverride(() => view);

await speak(localStorage.getItem("language") ?? document.documentElement.lang ?? language);
header();
connect({
  onState: async (next) => {
    const first = view === null;
    view = next;
    if (first && !localStorage.getItem("language") && next.language !== language) await switchTo(next.language);
    draw();
  },
  onPicture: (bitmap) => {
    drawOn(byId("live"), bitmap);
    drawOn(byId("inset"), bitmap);
    bitmap.close();
  },
  onGone: (now) => {
    gone = now;
    if (view) cameraNote(view, gone);
  },
});
setInterval(() => { if (view && !gone) status(view); }, 5000);
