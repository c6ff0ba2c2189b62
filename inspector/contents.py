"""The contents check: does the open box hold what the packing list says?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inspector.frame import Frame
from inspector.gallery import Embedder, Item
from inspector.spec import Check, PackingSpec
from inspector.verdict import CheckResult, ItemSeen, Result, skipped


def check_contents(
    frames: Sequence[Frame],
    spec: PackingSpec,
    taught: Mapping[str, Item] | None = None,  # noqa: ARG001, RUF100 -- not judged yet
    embedder: Embedder | None = None,  # noqa: ARG001, RUF100 -- same
    weight_g: float | None = None,  # noqa: ARG001, RUF100 -- same
) -> CheckResult:
    """Say honestly that contents are not judged yet: items in the spec then hold the parcel for a person to count."""
    if not spec.items:
        return skipped(Check.CONTENTS, "the order lists no items")
    items = tuple(ItemSeen(line.item, line.quantity, 0, "unsure") for line in spec.items)
    listed = ", ".join(f"{line.quantity} x {line.item}" for line in spec.items[:5])
    more = f" and {len(spec.items) - 5} more" if len(spec.items) > 5 else ""
    picture = "" if frames else "no picture of the open box; "
    reason = f"{picture}contents are not judged by this version: count {listed}{more} by hand"
    return CheckResult(Check.CONTENTS, Result.SKIPPED, reason=reason, items=items)
