"""The integrity check: is the packaging whole, and if not, what is wrong and where?"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from inspector.calibration import platt
from inspector.detector import Floats, Look
from inspector.spec import Check
from inspector.verdict import Box, CheckResult, Finding, Result, shared, skipped
from inspector.view import View
from models import ParcelCard

WORDS = {
    "crush": "crushed",
    "dent": "dented",
    "tear": "torn",
    "hole": "a hole",
    "wet": "wet",
    "stain": "stained",
    "open_flap": "a flap is open",
    "tape_fault": "the tape is loose",
    "dirty": "dirty",
}
FAINT = 0.5
"""A place less than half as sure as the surest one is not told: it would send the packer to look at nothing."""
MOST_FINDINGS = 5
"""More boxes than this on one picture hide the parcel from the packer."""


def check_integrity(views: Sequence[View], card: ParcelCard) -> CheckResult:
    """Judge all pictures of the sealed parcel; damage seen in one of them is damage.

    score: the highest calibrated probability of damage. Findings are told when the answer is fail or unsure.
    """
    seen = [(view, view.close) for view in views if view.close is not None]
    if not seen:
        return skipped(Check.INTEGRITY, "no picture of the sealed parcel")
    calibration, threshold = card.calibration, card.thresholds.integrity
    scores = [platt(look.damage_logit, calibration.a, calibration.b) for _, look in seen]
    score = max(scores)
    if score < threshold.unsure:
        return CheckResult(Check.INTEGRITY, Result.PASS, score, threshold.fail)
    findings = [
        finding
        for (view, look), p in zip(seen, scores, strict=True)
        if p >= threshold.unsure
        for finding in findings_in(view, look, card, p, sure=p >= threshold.fail)
    ]
    findings.sort(key=lambda f: (-f.score, -f.severity))
    findings = [f for f in findings if f.score >= FAINT * findings[0].score]
    result = Result.FAIL if score >= threshold.fail else Result.UNSURE
    return CheckResult(
        Check.INTEGRITY,
        result,
        score,
        threshold.fail,
        tuple(findings[:MOST_FINDINGS]),
        None if result is Result.FAIL else "perhaps damaged: look at it",
    )


def findings_in(view: View, look: Look, card: ParcelCard, probability: float, *, sure: bool) -> list[Finding]:
    """Where the damage map is above its thresholds, one finding per connected area and kind, worst first.

    probability: that the parcel in this picture is damaged at all. A picture judged damaged without such an area gets
    one finding at the map's highest point, so that a person always knows where to look first.
    severity: square root of the area's share of the parcel (a tenth of its side counts 0.1), 0..1.
    """
    if view.main is None:
        return []
    found = []
    for kind, layer in zip(card.damage_kinds, look.damage_map, strict=True):
        threshold = card.thresholds.damage_map.get(kind, 0.5)
        if isinstance(threshold, str):
            continue
        for area, box, peak in _areas(layer, look, threshold):
            if inside := _clip(box, view.main.box):
                found.append(_finding(kind, area, inside, min(peak, probability), view, sure=sure))
    if not found:
        kind_index, row, column = np.unravel_index(int(look.damage_map.argmax()), look.damage_map.shape)
        cell = look.damage_map.shape[-1]
        canvas_box = np.array([[column - 1, row - 1, column + 2, row + 2]], np.float32) * (look.canvas.shape[0] / cell)
        x, y, w, h = (float(v) for v in look.placement.to_picture(canvas_box)[0])
        inside = _clip((x, y, w, h), view.main.box) or view.main.box
        found.append(_finding(card.damage_kinds[kind_index], 0.0, inside, probability, view, sure=sure))
    return _without_doubles(sorted(found, key=lambda f: (-f.score, -f.severity)))


def _areas(layer: Floats, look: Look, threshold: float) -> list[tuple[float, Box, float]]:
    """Connected areas of one kind: (share of the canvas, box in the picture, highest probability)."""
    above = (layer >= threshold).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(above, connectivity=8)
    step = look.canvas.shape[0] / layer.shape[-1]
    areas = []
    for i in range(1, count):
        x, y, w, h, cells = (int(v) for v in stats[i])
        corners = np.array([[x, y, x + w, y + h]], np.float32) * step
        bx, by, bw, bh = (float(v) for v in look.placement.to_picture(corners)[0])
        areas.append((cells / layer.size, (bx, by, bw, bh), float(layer[labels == i].max())))
    return areas


def _finding(kind: str, share_of_canvas: float, box: Box, score: float, view: View, *, sure: bool) -> Finding:
    assert view.main is not None and view.close is not None  # noqa: S101, PT018 -- findings_in returns early otherwise
    parcel = view.main.box
    canvas_pixels = (view.close.canvas.shape[0] / view.close.placement.scale) ** 2
    share_of_parcel = share_of_canvas * canvas_pixels / max(parcel[2] * parcel[3], 1.0)
    severity = float(np.clip(np.sqrt(share_of_parcel), 0.05, 1.0))
    word = WORDS.get(kind, kind)
    text = f"{word} {where(box, parcel)}" if sure else f"perhaps {word} {where(box, parcel)}: look at it"
    return Finding(kind, severity, float(np.clip(score, 0, 1)), box, text, view.index)


def where(box: Box, parcel: Box) -> str:
    """The place of a box on its parcel in plain words: "on the left side", "at the upper right corner"."""
    x = (box[0] + box[2] / 2 - parcel[0]) / max(parcel[2], 1.0)
    y = (box[1] + box[3] / 2 - parcel[1]) / max(parcel[3], 1.0)
    if box[2] > 0.7 * parcel[2] and box[3] > 0.7 * parcel[3]:
        return "all over"
    column = "left" if x < 1 / 3 else "right" if x > 2 / 3 else ""
    row = "upper" if y < 1 / 3 else "lower" if y > 2 / 3 else ""
    if row and column:
        return f"at the {row} {column} corner"
    if row or column:
        return f"on the {row or column} side"
    return "in the middle"


def _clip(box: Box, parcel: Box) -> Box | None:
    """The part of the box that lies on the parcel; None when nothing worth showing is left."""
    left, top = max(box[0], parcel[0]), max(box[1], parcel[1])
    right, bottom = min(box[0] + box[2], parcel[0] + parcel[2]), min(box[1] + box[3], parcel[1] + parcel[3])
    return (left, top, right - left, bottom - top) if right - left >= 2 and bottom - top >= 2 else None


def _without_doubles(findings: list[Finding]) -> list[Finding]:
    """One place is told once, as the kind that is surest there."""
    told: list[Finding] = []
    for finding in findings:
        if finding.box and not any(other.box and _overlap(finding.box, other.box) > 0.5 for other in told):
            told.append(finding)
    return told


def _overlap(a: Box, b: Box) -> float:
    """Shared area over the smaller area."""
    return shared(a, b) / max(min(a[2] * a[3], b[2] * b[3]), 1e-6)
