"""The kiosk's kept examples ("the machine was wrong") as labelled photos, where it can be told what was meant."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.evaluation.labelled import Labelled, LabelledFolder, LabelsError

NOT_TOLD = "released though it should have been held, but it may be for another reason than damage"


def read_kept(folder: Path) -> LabelledFolder:
    """What `station/examples.py` wrote below `folder` (`examples` in a station's data): one folder an inspection.

    A parcel that should have been released is intact. One that should have been held is damaged only if its order asked
    for nothing else that could have been missed; others are left out. Pictures of one order are one group.
    Raises LabelsError when the folder is not there; or holds an example.json of another make.
    """
    if not folder.is_dir():
        raise LabelsError(f"{folder} is no folder; a station keeps its examples in `examples` of its data folder")
    photos: list[Labelled] = []
    left_out: dict[str, int] = {}
    for told_in in sorted(folder.glob("*/example.json")):
        try:
            told: Mapping[str, Any] = json.loads(told_in.read_text("utf-8"))
            damaged = _damaged(told)
            order, sealed = str(told["order"]), [f["name"] for f in told["frames"] if f["stage"] == "sealed"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LabelsError(f"{told_in} is no example of a station ({error!r}); take its folder away") from None
        reason = NOT_TOLD if damaged is None else "" if sealed else "no picture of the sealed parcel"
        if reason:
            left_out[reason] = left_out.get(reason, 0) + 1
            continue
        photos += [
            Labelled(
                path=told_in.parent / Path(name).name,
                name=f"{told_in.parent.name}/{name}",
                source=folder.name,
                group=f"order {order}",
                damaged=damaged,
            )
            for name in sealed
        ]
    return LabelledFolder(folder, tuple(photos), left_out)


def _damaged(told: Mapping[str, Any]) -> bool | None:
    if told["should_have_been"] == "release":
        return False
    others = [check["result"] for name, check in told["verdict"]["checks"].items() if name != "integrity"]
    return True if all(result == "skipped" for result in others) else None
