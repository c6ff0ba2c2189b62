"""May this order leave? A pure function of what is known, so that every reason can be tested."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inspector.spec import Check
from inspector.verdict import Decision


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What the gate needs to know of an order. required: the checks its packing spec asks for."""

    revision: int
    required: frozenset[Check]


@dataclass(frozen=True, slots=True)
class InspectionFacts:
    """What the gate needs to know of the latest inspection.

    revision: of the order it was judged against; None when the judge did not know the order. sealed: a picture of the
    sealed parcel was received with it. overridden: a person released it. passed and failed: the checks whose result
    is pass, and fail.
    """

    decision: Decision
    reasons: Sequence[str]
    revision: int | None
    sealed: bool
    overridden: bool
    passed: frozenset[Check]
    failed: frozenset[Check]


@dataclass(frozen=True, slots=True)
class Gate:
    """The answer. reasons: why not, each with what to do; empty exactly when allowed."""

    allowed: bool
    reasons: tuple[str, ...] = ()


def gate(order: OrderFacts, latest: InspectionFacts | None) -> Gate:
    """Allowed only when the latest inspection is a release (by the eye or by a person), of this very packing spec,
    and shows the sealed parcel. Nothing unknown is allowed.

    A release is not taken at its word: no check may have failed, and each that the order asks for must have passed.
    A judge that did not know the order (revision None) judged the packaging alone; that is enough exactly when the
    order asks for nothing more. An override does not heal a change of the order: the person saw another spec.
    """
    if latest is None:
        return Gate(False, ("This order was never inspected. Inspect the sealed parcel.",))
    reasons: list[str] = []
    if latest.decision is not Decision.RELEASE and not latest.overridden:
        reasons.extend(latest.reasons or (f"The latest inspection says {latest.decision}.",))
    elif not latest.overridden:
        failed = [check for check in Check if check in latest.failed]
        missing = [check for check in Check if check in order.required - latest.passed - latest.failed]
        reasons.extend(f"It was released although the check of {check} failed. Inspect it again." for check in failed)
        reasons.extend(f"It was released without the check of {check} that this order asks for." for check in missing)
    if latest.revision is None and order.required != {Check.INTEGRITY}:
        reasons.append("It was inspected without this order's packing spec. Inspect it again.")
    if latest.revision is not None and latest.revision != order.revision:
        reasons.append(
            f"The order has changed since: revision {latest.revision} was inspected, it is {order.revision} now. "
            "Inspect it again."
        )
    if not latest.sealed:
        reasons.append("There is no picture of the sealed parcel. Take one.")
    return Gate(not reasons, tuple(reasons))


def together(gates: Iterable[Gate]) -> Gate:
    """Allowed only when each of them is; every reason once, in their order."""
    reasons = tuple(dict.fromkeys(reason for one in gates for reason in one.reasons))
    return Gate(not reasons, reasons)
