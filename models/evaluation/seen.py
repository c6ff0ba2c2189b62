"""What the eye says of labelled pictures: the bench's whole way from file to verdict, and the boxes behind it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from inspector import Check, Frame, FrameError, Inspector, PackingSpec, Result, decode
from inspector.marks import NAMES
from inspector.verdict import Box, MarkSeen
from models.evaluation.labelled import Labelled

ALL_MARKS = PackingSpec(marks=frozenset(NAMES))
"""The bench asks for the marks of its order; here all are asked for, so that each is looked for with the same care."""

Scored = tuple[Box, float]


@dataclass(frozen=True, slots=True)
class Seen:
    """The eye's answer to one labelled picture.

    score: calibrated probability of damage, None when no parcel was found.  result: of the integrity check (skipped
    when no parcel was found).  retake: why the quality gate would ask for another picture.  main: the judged parcel.
    parcels, labels: boxes with scores, all down to the card's lowest thresholds.  marks: those said to be there.
    """

    photo: Labelled
    score: float | None
    result: Result
    retake: tuple[str, ...]
    main: Box | None
    parcels: tuple[Scored, ...]
    labels: tuple[Scored, ...]
    marks: tuple[MarkSeen, ...]
    decode_ms: float
    judge_ms: float


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A picture that could not be used, and why."""

    photo: Labelled
    reason: str


def see(
    eye: Inspector,
    classes: Sequence[str],
    photos: Sequence[Labelled],
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Seen | Unreadable]:
    """The answers to the pictures, one by one. classes: of the model's card. clock: seconds, for the timings."""
    for photo in photos:
        started = clock()
        try:
            frame = decode(photo.path.read_bytes(), name=photo.name)
        except (FrameError, OSError) as error:
            yield Unreadable(photo, error.reason if isinstance(error, FrameError) else str(error.strerror))
            continue
        yield _seen(eye, classes, photo, frame, started, clock)


def _seen(
    eye: Inspector,
    classes: Sequence[str],
    photo: Labelled,
    frame: Frame,
    started: float,
    clock: Callable[[], float],
) -> Seen:
    decoded = clock()
    verdict = eye.inspect([frame], ALL_MARKS)
    judged = clock()
    view = eye.look(frame)
    integrity = verdict.checks[Check.INTEGRITY]

    def boxes(name: str) -> tuple[Scored, ...]:
        if name not in classes:
            return ()
        found = view.detections.of(classes.index(name), 0.0)
        pairs = zip(found.boxes, found.scores, strict=True)
        return tuple((_clipped(box, *frame.size), float(score)) for box, score in pairs)

    return Seen(
        photo=photo,
        score=integrity.score,
        result=integrity.result,
        retake=tuple(fault.kind for fault in verdict.quality),
        main=view.main.box if view.main else None,
        parcels=boxes("parcel"),
        labels=boxes("shipping_label"),
        marks=verdict.checks[Check.MARKS].marks,
        decode_ms=1e3 * (decoded - started),
        judge_ms=1e3 * (judged - decoded),
    )


def _clipped(xywh: Sequence[float], width: int, height: int) -> Box:
    """People draw boxes up to the picture's border; the network sees beyond it."""
    x, y, w, h = (float(v) for v in xywh)
    left, top = min(max(0.0, x), width), min(max(0.0, y), height)
    return left, top, max(0.0, min(float(width), x + w) - left), max(0.0, min(float(height), y + h) - top)
