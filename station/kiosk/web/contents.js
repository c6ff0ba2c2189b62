// What the order lists, item by item: there, missing or not sure; and how the packers show what the machine got wrong.

import { call } from "./calls.js";
import { nameItems, nameOfItem, t } from "./language.js";
import { askSecond } from "./override.js";

const SIGNS = { present: "pass", missing: "fail", extra: "fail", wrong: "fail", unsure: "unsure" };
const WORST_FIRST = ["missing", "wrong", "extra", "unsure", "present"];
const byId = (id) => document.getElementById(id);
let references = new Map(); // item -> id of its picture
let knownTurn = -1;

function node(name, attributes = {}, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

function sign(result) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${SIGNS[result] ?? "unsure"}`);
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "sign");
  svg.append(use);
  return svg;
}

const pictureOf = (item) => {
  const reference = references.get(item);
  return reference ? `reference?item=${encodeURIComponent(item)}&id=${reference}` : null;
};

/** One line: what is said of it, what it looks like, and what lies in the box where that is something else. */
function chip(view, line, open) {
  const many = line.expected > 1 ? ` ${t("item_count", line)}` : "";
  const words = line.expected || !line.item ? t(`item.${line.result}`) + many : t("item.not_ordered");
  const made = node(line.item ? "button" : "div", { class: SIGNS[line.result] ?? "unsure", "data-item": line.item }, sign(line.result),
    node("span", {}, node("b", {}, line.item ? nameOfItem(line.item) : t("item.unknown")), node("small", {}, words)));
  const lies = ["wrong", "extra"].includes(line.result) || !line.item;
  if (lies && line.boxes.length) made.append(seen(view, line));
  const address = pictureOf(line.item);
  if (address && line.result !== "present" && line.expected) made.append(node("img", { src: address, alt: t("reference_of", { name: nameOfItem(line.item) }) }));
  if (line.item) made.addEventListener("click", () => open(line));
  else made.classList.add("thing");
  return node("li", {}, made);
}

/** What the picture shows at the last box of a line. */
function seen(view, line) {
  const canvas = node("canvas", { width: 112, height: 112, role: "img", "aria-label": t("seen_here") });
  const picture = new Image();
  picture.src = `judged/${view.turn}/${line.frame}.jpg`;
  picture.decode().then(() => paint(canvas, picture, line.boxes.at(-1), 112), () => canvas.remove());
  return canvas;
}

/** Findings of things that are no line: nobody knows what they are. */
function unknown(contents) {
  return contents.findings
    .filter((one) => one.kind === "extra_item" && one.box && contents.result === "unsure")
    .map((one) => ({ item: "", expected: 0, found: 1, result: "unsure", boxes: [one.box], frame: one.frame }));
}

/** The list below the checks. said(text): tells the packer. all(rows): shows every line. named(): names are known now. */
export function items(view, { said, all, named }) {
  const told = view.parcel.verdict?.checks.contents;
  const lines = told ? [...told.items, ...unknown(told)] : [];
  const focused = document.activeElement?.dataset?.item;
  byId("items").hidden = !lines.length;
  const ofOpenBox = view.parcel.stage === "open";
  if (ofOpenBox && lines.length) byId("checks").hidden = true; // of the open box only this is judged
  const sorted = [...lines].sort((a, b) => WORST_FIRST.indexOf(a.result) - WORST_FIRST.indexOf(b.result));
  const open = (line) => show(view, line, said);
  const most = ofOpenBox ? 4 : 2; // the other checks need the room
  const room = sorted.length > most ? most - 1 : most;
  const rows = sorted.slice(0, room).map((line) => chip(view, line, open));
  if (sorted.length > room) {
    const more = node("button", { class: "more" }, t("more_items", { n: sorted.length - room }));
    more.addEventListener("click", () => all(sorted.map((line) => chip(view, line, open))));
    rows.push(node("li", {}, more));
  }
  byId("items").replaceChildren(...rows);
  if (focused) byId("items").querySelector(`[data-item="${CSS.escape(focused)}"]`)?.focus();
  if (lines.length && knownTurn !== view.turn) learn(view, named);
}

/** Names and pictures of the items, once for each look at a parcel. */
async function learn(view, named) {
  knownTurn = view.turn;
  const told = await fetch("contents").then((answer) => answer.json()).catch(() => []);
  references = new Map(told.map((one) => [one.item, one.reference]));
  nameItems(new Map(told.filter((one) => one.name).map((one) => [one.item, one.name])));
  if (knownTurn === view.turn) named();
}

/** One item: what it looks like, and what in the picture it is, if the packer knows better. */
async function show(view, line, said) {
  const dialog = byId("item-dialog");
  for (const other of document.querySelectorAll("dialog[open]")) other.close();
  const name = nameOfItem(line.item);
  const address = pictureOf(line.item);
  byId("item-title").textContent = t("item_line", { count: line.expected || line.found, name });
  byId("item-picture").hidden = !address;
  byId("item-unknown").hidden = Boolean(address);
  if (address) byId("item-picture").src = address;
  byId("item-picture").alt = t("reference_of", { name });
  const frame = frameOf(view, line);
  const wrong = byId("item-wrong");
  wrong.hidden = !line.boxes.length;
  wrong.textContent = t("it_is_not", { name });
  byId("things").replaceChildren();
  dialog.showModal();
  const picture = new Image();
  picture.src = `judged/${view.turn}/${frame}.jpg`;
  await picture.decode().catch(() => {});
  wrong.onclick = () => confirm(view, line, "wrong", line.boxes.at(-1), { picture, frame, said });
  const there = line.result === "present" || !line.expected; // nothing to be found in the picture
  byId("things-title").hidden = there;
  if (there) return;
  const boxes = await fetch(`things/${view.turn}/${frame}`).then((answer) => (answer.ok ? answer.json() : [])).catch(() => []);
  const places = [...line.boxes, ...boxes];
  byId("things").replaceChildren(...(places.length
    ? places.map((box, index) => thing(picture, box, index, () => confirm(view, line, "there", box, { picture, frame, said })))
    : [node("p", {}, t("no_things"))]));
}

const frameOf = (view, line) =>
  (line.boxes.length ? line.frame : Math.max(0, view.parcel.pictures.findIndex((one) => one.stage === "open")));

/** What a box of the picture shows, as a square canvas. */
function cut(picture, [x, y, w, h], side) {
  return paint(node("canvas", { width: side, height: side, "aria-hidden": "true" }), picture, [x, y, w, h], side);
}

function paint(canvas, picture, [x, y, w, h], side) {
  const scale = Math.min(side / w, side / h);
  canvas.getContext("2d").drawImage(picture, x, y, w, h, (side - w * scale) / 2, (side - h * scale) / 2, w * scale, h * scale);
  return canvas;
}

function thing(picture, box, index, choose) {
  const made = node("button", { type: "button", "aria-label": t("thing_number", { n: index + 1 }) }, cut(picture, box, 132));
  made.addEventListener("click", choose);
  return made;
}

function confirm(view, line, kind, box, { picture, frame, said }) {
  byId("item-dialog").close();
  const address = pictureOf(line.item);
  const looks = address ? [node("img", { src: address, alt: t("reference_of", { name: nameOfItem(line.item) }) })] : [];
  askSecond(view, {
    proof: [cut(picture, box, 400), ...looks],
    title: t(`correct_${kind}`, { name: nameOfItem(line.item) }),
    submit: t("correct_submit"),
    run: async ({ approver, pin }) => {
      await call("correct", { turn: view.turn, item: line.item, kind, frame, box, approver, pin });
      knownTurn = -1;
      said(t("learnt"));
    },
  });
}

byId("item-close").addEventListener("click", () => byId("item-dialog").close());
