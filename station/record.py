"""How an inspection is written down: the JSON and the pictures that the API will be sent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from inspector.annotate import draw, encode_jpeg
from inspector.frame import Frame, Pixels, decode
from inspector.spec import Stage
from inspector.verdict import Verdict
from inspector.wire import VerdictDocument
from station.camera import Shot
from station.orders import Order

QUALITY = 92
"""Of the kept JPEG, 0..100."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture for judging and its file. The frame is decoded from this very JPEG: what is kept is what was judged."""

    frame: Frame
    jpeg: bytes


def picture_of(shot: Shot, stage: Stage, camera: str) -> Picture:
    """A camera's shot -> a picture named after its stage."""
    jpeg = encode_jpeg(shot.bgr, QUALITY)
    return Picture(decode(jpeg, name=f"{stage}.jpg", stage=stage, camera=camera, captured_at=shot.captured_at), jpeg)


def inspection_body(
    *, order: Order, station: str, operator: str | None, pictures: Sequence[Picture], verdict: Verdict
) -> str:
    """The JSON of PUT /v1/inspections/{id}. captured_at: when the last picture was taken."""
    moments = [p.frame.captured_at for p in pictures if p.frame.captured_at is not None]
    return json.dumps(
        {
            "order": order.id,
            "order_revision": order.revision,
            "station": station,
            "operator": operator,
            "captured_at": rfc3339(max(moments)),
            "frames": [
                {"name": p.frame.name, "stage": p.frame.stage.value, "camera": p.frame.camera} for p in pictures
            ],
            "verdict": VerdictDocument.of(verdict).model_dump(mode="json"),
        },
        ensure_ascii=False,
        sort_keys=True,
    )


def override_body(*, reason: str, operator: str, approved_by: str, at: datetime) -> str:
    """The JSON of PUT /v1/inspections/{id}/override."""
    told = {"reason": reason, "operator": operator, "approved_by": approved_by, "at": rfc3339(at)}
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def evidence(
    pictures: Sequence[Picture], verdict: Verdict, shown: Mapping[str, Pixels] | None = None
) -> list[tuple[str, bytes]]:
    """(name, JPEG) of every picture, and of every picture with what was found drawn in. shown: see `annotate.draw`."""
    plain = [(p.frame.name, p.jpeg) for p in pictures]
    drawn = [
        (f"annotated-{p.frame.name}", encode_jpeg(draw(p.frame, verdict, index, shown)))
        for index, p in enumerate(pictures)
    ]
    return [*plain, *drawn]


def rfc3339(moment: datetime) -> str:
    """UTC with milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
