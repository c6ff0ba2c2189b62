// The judged picture with what was found drawn on it.

import { findingText } from "./findings.js";
import { t } from "./language.js";

const SVG = "http://www.w3.org/2000/svg";

function shape(name, attributes, kind) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (kind) node.setAttribute("class", kind);
  return node;
}

const ruler = document.createElement("canvas").getContext("2d");

function widthOf(text, size) {
  ruler.font = `650 100px ${getComputedStyle(document.body).fontFamily}`;
  return (ruler.measureText(text).width * size) / 100;
}

/** A box with a tag above it (or inside, at the picture's upper edge). unit: picture pixels per 1/100 of its width. */
function boxed([x, y, width, height], text, kind, size, unit) {
  const group = shape("g", {}, kind);
  const high = unit * 3.6;
  const wide = Math.min(size.width, widthOf(text, unit * 2.2) + unit * 1.6);
  const left = Math.max(0, Math.min(x, size.width - wide));
  const top = y >= high ? y - high : y;
  const label = shape("text", { x: left + unit * 0.8, y: top + high / 2, "font-size": unit * 2.2 });
  label.textContent = text;
  group.append(
    shape("rect", { x, y, width, height }, "halo"),
    shape("rect", { x, y, width, height }, "box"),
    shape("rect", { x: left, y: top, width: wide, height: high, rx: unit * 0.4 }, "tag"),
    label,
  );
  return group;
}

/** Wide pictures lie at the upper edge, so that what stands below them covers nothing. */
export const isWide = ({ width, height }) => width > 1.4 * height;

/** Everything that the verdict tells of picture `index`, as SVG in the picture's own pixels. */
export function overlay(svg, verdict, index, size) {
  const unit = Math.max(size.width, size.height * 1.2) / 100;
  svg.setAttribute("preserveAspectRatio", isWide(size) ? "xMidYMin meet" : "xMidYMid meet");
  svg.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
  const drawn = [];
  const main = verdict.parcels.find((parcel) => parcel.frame === index);
  if (main) {
    const [x, y, width, height] = main.box;
    drawn.push(shape("rect", { x, y, width, height, "vector-effect": "non-scaling-stroke", fill: "none" }, "parcel"));
  }
  for (const mark of verdict.checks.marks.detections) {
    if (mark.frame === index) drawn.push(boxed(mark.box, t(`mark.${mark.mark}`), "seen", size, unit));
  }
  for (const code of verdict.checks.label.codes) {
    if (code.frame === index) drawn.push(boxed(code.box, code.text.slice(0, 26), "seen", size, unit));
  }
  for (const check of Object.values(verdict.checks)) {
    for (const finding of check.findings) {
      if (finding.frame !== index || !finding.box) continue;
      const kind = check.result === "fail" ? "fail" : "unsure";
      drawn.push(boxed(finding.box, findingText(finding, null), kind, size, unit));
    }
  }
  svg.replaceChildren(...drawn);
}
