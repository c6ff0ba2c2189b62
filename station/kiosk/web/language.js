// Words in the packer's language; the files en.json and zh.json hold the same keys (a test says so).

const NAMES = { en: "English", zh: "中文" };
let words = {};
export let language = "en";

export async function speak(wanted) {
  const answer = await fetch(`${wanted}.json`);
  words = await answer.json();
  language = wanted;
  document.documentElement.lang = wanted === "zh" ? "zh-CN" : "en";
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-name]")) node.setAttribute("aria-label", t(node.dataset.name));
  for (const node of document.querySelectorAll("[data-placeholder]")) node.placeholder = t(node.dataset.placeholder);
}

export const other = () => (language === "en" ? "zh" : "en");
export const nameOf = (code) => NAMES[code];
export const has = (key) => key in words;

/** The sentence of a key with its {gaps} filled; a missing key shows itself, which is ugly and therefore found. */
export function t(key, gaps = {}) {
  const sentence = words[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (_, gap) => gaps[gap] ?? "");
}

const separator = () => t("list_separator");
export const listed = (names) => names.join(separator());
export const markNames = (marks) => listed(marks.map((mark) => t(`mark.${mark}`)));
let called = new Map(); // item -> what people call it
export const nameItems = (names) => { called = names; };
export const nameOfItem = (item) => called.get(item) ?? item;
export const itemNames = (items) => listed(items.map((line) => `${line.count ?? line.quantity} × ${nameOfItem(line.item)}`));

export function clock(moment) {
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hour12: false }).format(new Date(moment));
}

export function dayAndClock(moment) {
  const form = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false };
  return new Intl.DateTimeFormat(language, form).format(new Date(moment));
}

/** How long ago, roughly: packers need to know minutes from hours. */
export function age(moment) {
  const seconds = Math.max(0, (Date.now() - new Date(moment)) / 1000);
  if (seconds < 90) return t("age_seconds", { n: Math.round(seconds) });
  if (seconds < 5400) return t("age_minutes", { n: Math.round(seconds / 60) });
  return t("age_hours", { n: Math.round(seconds / 3600) });
}
