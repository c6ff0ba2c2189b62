// The right side: one word, one thing to do, the checks, and what can be done now.

import { checkText, shownResult } from "./findings.js";
import { dayAndClock, itemNames, listed, markNames, t } from "./language.js";

const CHECKS = ["integrity", "contents", "marks", "label"];
const byId = (id) => document.getElementById(id);

function node(name, attributes = {}, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  made.append(...inside.filter((part) => part !== null));
  return made;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** The kind of moment: its word, icon and colour class. */
export function look(parcel) {
  switch (parcel.phase) {
    case "idle": return { word: "scan", icon: "scan", colour: "action" };
    case "waiting": return { word: `show_${parcel.stage}`, icon: parcel.stage, colour: "action" };
    case "released": return { word: parcel.override ? "released_by_person" : "release", icon: "release", colour: "release" };
    case "held": return { word: "hold", icon: "hold", colour: "hold" };
    case "retake": return { word: "retake", icon: "retake", colour: "retake" };
    case "blocked": return { word: "blocked", icon: "blocked", colour: "blocked" };
    default: return { word: parcel.phase, icon: "judging", colour: "judging" };
  }
}

/** The one thing to do, filled in. */
export function doText({ code, words }) {
  const gaps = { ...words };
  if (Array.isArray(words.marks)) gaps.marks = markNames(words.marks);
  if (Array.isArray(words.items)) gaps.items = itemNames(words.items);
  if (words.at) gaps.at = dayAndClock(words.at);
  const text = t(`do.${code}`, gaps);
  return words.over ? `${text} ${t("do.take_out", { items: itemNames(words.over) })}` : text;
}

function say(parcel) {
  const { word, icon: sign, colour } = look(parcel);
  byId("verdict").className = colour;
  byId("order-shown").hidden = !parcel.order;
  byId("order-shown").firstElementChild.textContent = t("order");
  byId("order-shown").lastElementChild.textContent = parcel.order ?? "";
  byId("word").querySelector("use").setAttribute("href", `#i-${sign}`);
  byId("word").lastElementChild.textContent = t(`word.${word}`);
  byId("do").textContent = parcel.override ? t("do.ship_by_person", parcel.override) : doText(parcel.do);
}

function checks(parcel) {
  byId("checks").hidden = !parcel.verdict;
  if (!parcel.verdict) return;
  byId("checks").replaceChildren(...CHECKS.map((name) => {
    const result = shownResult(name, parcel.verdict);
    const needed = result === "skipped" && parcel.required.includes(name) ? " needed" : "";
    const sign = icon(result);
    sign.classList.add("sign");
    return node("li", { class: result + needed, "data-check": name },
      sign, node("span", {}, node("b", {}, t(`check.${name}`)), node("small", {}, checkText(name, parcel))));
  }));
}

/** Before the verdict: what the order asks for. */
function asked(parcel) {
  const lines = parcel.verdict || !parcel.required.length ? [] : [
    parcel.items.length ? [t("check.contents"), itemNames(parcel.items)] : null,
    parcel.marks.length ? [t("check.marks"), listed(parcel.marks.map((mark) => t(`mark.${mark}`)))] : null,
    parcel.packaging ? [t("packaging"), t(`packaging.${parcel.packaging}`)] : null,
  ].filter(Boolean);
  byId("asked").hidden = !lines.length;
  byId("asked").replaceChildren(...lines.map(([name, text]) => node("span", {}, node("b", {}, `${name}: `), text)));
}

function actions(parcel, act) {
  const button = (label, run, kind = "", key = null) =>
    node("button", { class: kind, onclick: run, "data-act": label },
      t(`act.${label}`), key ? node("kbd", { "aria-hidden": "true" }, t(key)) : null);
  const choices = {
    idle: [],
    waiting: [button("take", act.take, "strong", "key_space"), button("cancel", act.clear)],
    released: [button("next", act.clear, "strong")],
    held: parcel.stage === "open"
      ? [button("again", act.take, "strong", "key_space"), parcel.do.code === "weigh_again" ? null : button("seal_anyway", act.goOn), button("cancel", act.clear)]
      : [button("again", act.take, "strong", "key_space"), button("override", act.override), button("set_aside", act.clear)],
    retake: [button("take", act.take, "strong", "key_space"), parcel.stage === "open" ? null : button("override", act.override), button("cancel", act.clear)],
    blocked: [button("retry", act.rescan, "strong"), button("cancel", act.clear)],
  }[parcel.phase] ?? [];
  const shown = choices.filter(Boolean);
  const focused = document.activeElement?.dataset?.act;
  byId("actions").replaceChildren(...shown);
  byId("actions").hidden = !shown.length;
  if (focused) byId("actions").querySelector(`[data-act="${focused}"]`)?.focus();
}

export function panel(parcel, act) {
  say(parcel);
  checks(parcel);
  asked(parcel);
  actions(parcel, act);
}
