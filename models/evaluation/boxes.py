"""How well parcels, labels and handling marks are found where people drew boxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from inspector.verdict import Box, MarkSeen
from models.evaluation.bounds import settled
from models.evaluation.damage import share_of
from models.evaluation.labelled import MARKS, TrueBox
from models.evaluation.metrics import Array, Matched, Rows, bootstrap, box_ap, counts_at, match, overlaps
from models.evaluation.seen import Scored, Seen

IOUS = (0.3, 0.5)
"""0.3 as well: marks are small, and people's boxes around them differ by a few pixels."""
SAME_PARCEL = 0.3
UPRIGHT_WITHIN = 45
"""Degrees: within them a turned mark still points the right way."""


def box_figures(seen: Sequence[Seen], name: str, found_from: float, rounds: int) -> dict[str, Any] | None:
    """AP50 of parcels or labels with its interval, precision and recall from the card's threshold on.

    On pictures whose boxes of this kind were all drawn; None when there is none. All boxes count, also those of parcels
    that nobody would judge.
    """
    drawn = [s for s in seen if (s.photo.parcels_drawn if name == "parcel" else s.photo.labels_drawn)]
    rows = [_matched(s.parcels if name == "parcel" else s.labels, s.photo.of(name)) for s in drawn]
    if not sum(row.truth for row in rows):
        return None
    groups = [s.photo.group for s in drawn]
    behind = len({group for group, row in zip(groups, rows, strict=True) if row.truth})
    right, wrong, truth = counts_at(rows, found_from)
    return {
        "photos": len(drawn),
        "boxes": truth,
        "ap50": settled(bootstrap(lambda i: box_ap([rows[j] for j in i]), groups, rounds), behind).told(),
        "threshold": found_from,
        "found": right,
        "invented": wrong,
    }


def mark_figures(seen: Sequence[Seen], judged_marks: frozenset[str], rounds: int) -> dict[str, Any]:
    """Handling marks, on pictures that somebody looked through for them; what the marks check would call present.

    judged_marks: those the model has a threshold for; the others are left to people and told as `not_judged`.
    The eye tells the marks of the parcel it judges. A mark on another parcel of the picture (both were drawn) counts
    neither way, nor does one that is doubtful, nor what is found there.
    """
    checked = [s for s in seen if s.photo.marks_checked]
    if not checked:
        return {"photos_checked": 0}
    truth = [_truth(s) for s in checked]
    there = Counter(box.name for _, boxes, _ in truth for box in boxes)
    return {
        "photos_checked": len(checked),
        "boxes": sum(there.values()),
        "elsewhere": sum(others for *_, others in truth),
        "not_judged": {name: there[name] for name in sorted(there) if name not in judged_marks},
        **{
            f"at_iou_{iou:g}": {
                name: told
                for name in (*sorted(MARKS & judged_marks), "all")
                if (told := _one_mark(truth, name, judged_marks, iou, rounds))
            }
            for iou in IOUS
        },
        "orientation": _orientation(truth, judged_marks),
        "false_marks": _false_marks(checked, rounds),
    }


def invented(seen: Seen) -> list[MarkSeen]:
    """Marks the eye saw on a picture that was looked through, where no such mark is; best first."""
    if not seen.photo.marks_checked:
        return []
    truth = _truth(seen)
    wrong = []
    for mark in seen.marks:
        row = _match_marks((replace(seen, marks=(mark,)), *truth[1:]), mark.mark, IOUS[0])
        if len(row.right) and not row.right[0]:
            wrong.append(mark)
    return wrong


Truth = tuple[Seen, list[TrueBox], int]
"""An answer, the marks it is held against, and how many lie on other parcels."""


def _one_mark(
    truth: Sequence[Truth], name: str, judged_marks: frozenset[str], iou: float, rounds: int
) -> dict[str, Any] | None:
    """Recall and precision of one mark, or of all, each against its own kind; None when neither there nor said."""
    names = judged_marks if name == "all" else {name}
    rows = [[_match_marks(t, n, iou) for n in names] for t in truth]
    right = np.array([sum(int(m.right.sum()) for m in row) for row in rows], np.float64)
    said = np.array([sum(len(m.scores) for m in row) for row in rows], np.float64)
    boxes = np.array([sum(m.truth for m in row) for row in rows], np.float64)
    if not boxes.sum() and not said.sum():
        return None
    groups = [seen.photo.group for seen, *_ in truth]
    return {
        "there": int(boxes.sum()),
        "said": int(said.sum()),
        "right": int(right.sum()),
        "recall": _share(right, boxes, groups, rounds),
        "precision": _share(right, said, groups, rounds),
    }


def _orientation(truth: Sequence[Truth], judged_marks: frozenset[str]) -> dict[str, Any]:
    """Of the marks found at the lower overlap: how far their turn is off, where people wrote it down."""
    told = {}
    for name in sorted(judged_marks):
        errors = np.concatenate([np.zeros(0), *(_match_marks(t, name, IOUS[0]).turn_errors for t in truth)])
        known = errors[~np.isnan(errors)]
        if len(known):
            told[name] = {
                "marks": len(known),
                "median_error_deg": round(float(np.median(known)), 1),
                f"share_within_{UPRIGHT_WITHIN}_deg": round(float((known <= UPRIGHT_WITHIN).mean()), 3),
            }
    return told


def _false_marks(checked: Sequence[Seen], rounds: int) -> dict[str, Any]:
    """Marks seen on pictures that somebody looked through and found to have none."""
    bare = [s for s in checked if not any(box.name in MARKS or box.doubtful for box in s.photo.boxes)]
    return {
        "photos_without_marks": len(bare),
        "photos_with_an_invented_mark": sum(bool(s.marks) for s in bare),
        "share": share_of([bool(s.marks) for s in bare], [s.photo.group for s in bare], rounds).told(),
        "by_mark": dict(sorted(Counter(mark.mark for s in bare for mark in s.marks).items())),
    }


def _truth(seen: Seen) -> Truth:
    mine, others = [], 0
    for box in seen.photo.boxes:
        if box.name in MARKS and not box.doubtful:
            if _elsewhere(box.box, seen):
                others += 1
            else:
                mine.append(box)
    return seen, mine, others


def _elsewhere(mark: Box, seen: Seen) -> bool:
    """Whether the mark lies on drawn parcels only of which none is the one that was judged."""
    carriers = [parcel.box for parcel in seen.photo.of("parcel") if _centre_in(mark, parcel.box)]
    if seen.main is None or not carriers:
        return False
    return bool((overlaps(_corners([seen.main])[0], _corners(carriers)) < SAME_PARCEL).all())


def _match_marks(truth: Truth, name: str, iou: float) -> Matched:
    seen, boxes, _ = truth
    mine = [box for box in boxes if box.name == name]
    ignored = [box.box for box in seen.photo.boxes if (box.name in MARKS or box.doubtful) and box not in boxes]
    said: list[MarkSeen] = [mark for mark in seen.marks if mark.mark == name]
    return match(
        _corners([mark.box for mark in said]),
        np.array([mark.score for mark in said], np.float64),
        np.array([mark.rotation for mark in said], np.float64),
        _corners([box.box for box in mine]),
        np.array([np.nan if box.rotation is None else box.rotation for box in mine], np.float64),
        iou,
        _corners(ignored),
    )


def _matched(found: Sequence[Scored], true: Sequence[TrueBox]) -> Matched:
    sure = [box.box for box in true if not box.doubtful]
    return match(
        _corners([box for box, _ in found]),
        np.array([score for _, score in found], np.float64),
        np.zeros(len(found)),
        _corners(sure),
        np.zeros(len(sure)),
        0.5,
        _corners([box.box for box in true if box.doubtful]),
    )


def _share(part: Array, whole: Array, groups: Sequence[str], rounds: int) -> dict[str, Any]:
    """Part / whole over all pictures, with its interval; the groups behind it are those that have any of the whole."""
    behind = len({group for group, n in zip(groups, whole, strict=True) if n})
    return settled(bootstrap(lambda i: _ratio(part, whole, i), groups, rounds), behind).told()


def _ratio(part: Array, whole: Array, rows: Rows) -> float:
    total = float(whole[rows].sum())
    return float(part[rows].sum()) / total if total else float("nan")


def _corners(boxes: Sequence[Box]) -> Array:
    """(x, y, w, h) boxes -> float64 (n, 4) xyxy."""
    xywh = np.array(boxes, np.float64).reshape(-1, 4)
    return np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)


def _centre_in(box: Box, other: Box) -> bool:
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return other[0] <= x <= other[0] + other[2] and other[1] <= y <= other[1] + other[3]
