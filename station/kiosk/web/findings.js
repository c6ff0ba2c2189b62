// What was found, in a sentence of the packer's language.

import { has, language, markNames, t } from "./language.js";

/** "torn, upper left": kind and place. parcel: its box, or null for the kind alone. */
export function findingText(finding, parcel) {
  const key = `finding.${finding.kind}`;
  const kind = has(key) ? t(key) : finding.text;
  const place = parcel && finding.box ? where(finding.box, parcel.box) : "";
  return place ? t("at_place", { kind, place }) : kind;
}

function where([x, y, w, h], [px, py, pw, ph]) {
  const across = (x + w / 2 - px) / Math.max(pw, 1);
  const down = (y + h / 2 - py) / Math.max(ph, 1);
  if (w > 0.7 * pw && h > 0.7 * ph) return t("place.all");
  const column = across < 1 / 3 ? "left" : across > 2 / 3 ? "right" : "";
  const row = down < 1 / 3 ? "upper" : down > 2 / 3 ? "lower" : "";
  return t(`place.${[row, column].filter(Boolean).join("_") || "middle"}`);
}

/** A check's result as it is shown: what passed on a picture that must be taken again was not seen well enough to pass. */
export function shownResult(name, verdict) {
  const { result } = verdict.checks[name];
  return verdict.verdict === "retake" && result === "pass" ? "skipped" : result;
}

/** One line for a check: what is wrong, or that nothing is. */
export function checkText(name, parcel) {
  const verdict = parcel.verdict;
  const check = verdict.checks[name];
  const needed = parcel.required.includes(name);
  if (check.result === "pass") return t(shownResult(name, verdict) === "pass" ? `pass.${name}` : "not_judged");
  if (check.result === "skipped") return t(needed ? `skipped.${name}` : "not_asked");
  if (name === "marks" && parcel.missing_marks.length) return t("missing_marks", { marks: markNames(parcel.missing_marks) });
  const first = check.findings[0];
  if (first) {
    const seen = verdict.parcels.find((box) => box.frame === first.frame) ?? null;
    const text = findingText(first, name === "integrity" ? seen : null);
    return check.result === "unsure" ? t("perhaps", { text }) : text;
  }
  // what is not sure about contents is told item by item below, and would push the verdict out of its place here
  return language === "en" && check.reason && name !== "contents" ? check.reason : t(`unsure.${name}`);
}
