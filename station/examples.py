"""One tap "the machine was wrong": the pictures stay here as a labelled example to teach from."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from inspector.verdict import Decision, Verdict
from inspector.wire import VerdictDocument
from station.orders import Order
from station.record import Picture, rfc3339


def keep_example(
    folder: Path,
    *,
    inspection: str,
    order: Order,
    pictures: Sequence[Picture],
    verdict: Verdict,
    operator: str | None,
    at: datetime,
) -> Path:
    """Write FOLDER/INSPECTION/{open.jpg, sealed.jpg, example.json}; all of it or nothing. Raises OSError.

    The label is what the machine should have said: the opposite of what it said. Keeping the same one again changes
    nothing. Everything stays on this computer.
    """
    done = folder / inspection
    if done.exists():
        return done
    making = folder / f".{inspection}.part"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    should = Decision.HOLD if verdict.decision is Decision.RELEASE else Decision.RELEASE
    told = {
        "inspection": inspection,
        "order": order.id,
        "marked_at": rfc3339(at),
        "marked_by": operator,
        "should_have_been": should.value,
        "frames": [{"name": p.frame.name, "stage": p.frame.stage.value} for p in pictures],
        "verdict": VerdictDocument.of(verdict).model_dump(mode="json"),
    }
    try:
        for picture in pictures:
            _write(making / picture.frame.name, picture.jpeg)
        _write(making / "example.json", json.dumps(told, ensure_ascii=False, indent=1).encode())
        making.rename(done)
    except OSError:
        shutil.rmtree(making, ignore_errors=True)
        raise
    return done


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
