"""The label check: is the shipping label there, and is it this order's?"""

from __future__ import annotations

import re
from collections.abc import Sequence

import biip
import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

from inspector.detector import crop_around
from inspector.frame import Pixels
from inspector.spec import Check, PackingSpec
from inspector.verdict import Box, CheckResult, CodeSeen, Finding, Result, skipped
from inspector.view import View
from models import ParcelCard

Affine = npt.NDArray[np.float64]
RETAIL = frozenset({"EAN13", "EAN8", "UPCA", "UPCE", "ISBN"})
"""Codes of what is inside or of the carton's maker; they never carry a tracking number."""
SHIPMENT = frozenset({"00", "401", "402"})
"""GS1 application identifiers that name a parcel or a shipment: SSCC, GINC, GSIN. A lot or serial number does not."""
SHORTEST_TRACKING_NUMBER = 8
"""UPU S10 has 13 characters; the shortest in use by the carriers of docs/couriers.md has 8."""


def check_label(views: Sequence[View], codes: Sequence[CodeSeen], spec: PackingSpec, card: ParcelCard) -> CheckResult:
    """Compare the codes that were read on the sealed parcel with the order's tracking number.

    codes: what `read_codes` read in all the views. The right number beside another one of the same make-up is unsure:
    a used carton with its old label goes astray. Without a tracking number the check is skipped, and nothing need be
    read: it would cost every picture its time.
    """
    if not views:
        return skipped(Check.LABEL, "no picture of the sealed parcel")
    if spec.tracking_number is None:
        return skipped(Check.LABEL, "the order names no tracking number")
    told = tuple(codes)
    others = [c for c in codes if _may_be_tracking(c) and not carries(c.text, spec.tracking_number)]
    if any(carries(code.text, spec.tracking_number) for code in codes):
        rivals = [code.text for code in others if _shape(code.text) == _shape(spec.tracking_number)]
        if not rivals:
            return CheckResult(Check.LABEL, Result.PASS, codes=told)
        reason = f"two labels: cover or take off the one that says {rivals[0]}"
        return CheckResult(Check.LABEL, Result.UNSURE, reason=reason, codes=told)
    if others:
        first = max(others, key=lambda code: code.box[2] * code.box[3])
        text = f"wrong label: it says {first.text}, this order has {spec.tracking_number}"
        wrong = Finding("wrong_label", 1.0, 1.0, first.box, text, first.frame)
        return CheckResult(Check.LABEL, Result.FAIL, findings=(wrong,), codes=told)
    return _without_a_code(views, card, told)


def _without_a_code(views: Sequence[View], card: ParcelCard, codes: tuple[CodeSeen, ...]) -> CheckResult:
    """No code could be a tracking number: is there a label at all?"""
    label = _best_label(views, card)
    if label is None:
        text = "no shipping label to be seen: stick it on the upper side"
        missing = Finding("missing_label", 1.0, 1.0, None, text)
        return CheckResult(Check.LABEL, Result.FAIL, findings=(missing,), codes=codes)
    box, score, frame = label
    text = "the label cannot be read: smooth it, turn the parcel or scan it by hand"
    unreadable = Finding("unreadable_label", 0.5, score, box, text, frame)
    return CheckResult(Check.LABEL, Result.UNSURE, findings=(unreadable,), reason=text, codes=codes)


def read_codes(view: View, wanted: str | None = None) -> list[CodeSeen]:
    """All barcodes on the main parcel, each once.

    The reader finds codes that lie nearly level or upright; when the wanted number is not among them the parcel is
    read again turned by 45 degrees, so that any angle is within its reach.
    """
    crop, left, top = crop_around(view.frame.bgr, view.region, 0.03)
    codes = _read(crop, np.array([[1, 0, left], [0, 1, top]], np.float64), view.index)
    if wanted is not None and not any(carries(code.text, wanted) for code in codes):
        turned, back = _turned(crop)
        back[:, 2] += (left, top)
        known = {(code.format, code.text) for code in codes}
        codes += [code for code in _read(turned, back, view.index) if (code.format, code.text) not in known]
    return codes


def carries(text: str, tracking_number: str) -> bool:
    """True when a code's text is this tracking number, or holds it as a GS1 element or behind a routing prefix.

    Spaces, dashes, brackets and case do not count. A routing prefix is digits only (USPS puts 420 and the postcode
    before its number); the tracking number must then be the code's end and long enough not to be there by chance.
    """
    code, wanted = _plain(text), _plain(tracking_number)
    if not wanted:
        return False
    if code == wanted or wanted in {_plain(value) for value in _gs1_values(text)}:
        return True
    prefix = code.removesuffix(wanted)
    return len(wanted) >= 10 and prefix != code and prefix.isdigit()


def _plain(text: str) -> str:
    return re.sub(r"[\s\-()\x1d]", "", text).upper()


def _shape(text: str) -> str:
    """How a number is made up: LL000000001 -> AA999999999."""
    return re.sub(r"[0-9]", "9", re.sub(r"[A-Z]", "A", _plain(text)))


def _gs1_values(text: str) -> list[str]:
    try:
        message = biip.parse(re.sub(r"[()\s]", "", text)).gs1_message
    except (biip.ParseError, ValueError, IndexError):  # biip raises the last two on texts that only look like GS1
        return []
    return [e.value for e in message.element_strings if e.ai.ai in SHIPMENT] if message else []


def _may_be_tracking(code: CodeSeen) -> bool:
    plain = _plain(code.text)
    long_enough = len(plain) >= SHORTEST_TRACKING_NUMBER and any(c.isdigit() for c in plain)
    return long_enough and code.format not in RETAIL and "://" not in code.text


def _read(bgr: Pixels, back: Affine, index: int) -> list[CodeSeen]:
    """Codes in a picture; back: float64 (2, 3), affine from its pixels to those of the frame."""
    grey = np.ascontiguousarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY))
    seen: dict[tuple[str, str], CodeSeen] = {}
    for code in zxingcpp.read_barcodes(grey, try_invert=False, text_mode=zxingcpp.TextMode.Plain):
        p = code.position
        corners = np.array([(c.x, c.y, 1.0) for c in (p.top_left, p.top_right, p.bottom_right, p.bottom_left)])
        kind = code.format.name
        seen.setdefault((kind, code.text), CodeSeen(kind, code.text, _around(corners @ back.T), index))
    return list(seen.values())


def _turned(bgr: Pixels) -> tuple[Pixels, Affine]:
    """The picture turned by 45 degrees on white, and the way back."""
    height, width = bgr.shape[:2]
    side = int(np.ceil(np.hypot(width, height)))
    there = cv2.getRotationMatrix2D((width / 2, height / 2), 45, 1.0)
    there[:, 2] += (side / 2 - width / 2, side / 2 - height / 2)
    turned = cv2.warpAffine(bgr, there, (side, side), flags=cv2.INTER_LINEAR, borderValue=(255, 255, 255))
    return np.asarray(turned, np.uint8), np.asarray(cv2.invertAffineTransform(there), np.float64)


def _around(corners: Affine) -> Box:
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return float(left), float(top), float(right - left), float(bottom - top)


def _best_label(views: Sequence[View], card: ParcelCard) -> tuple[Box, float, int] | None:
    best = None
    for view in views:
        found = view.detections.of(card.classes.index("shipping_label"), card.thresholds.shipping_label.found)
        if len(found) and (best is None or float(found.scores[0]) > best[1]):
            x, y, w, h = (float(v) for v in found.boxes[0])
            best = ((x, y, w, h), float(found.scores[0]), view.index)
    return best
