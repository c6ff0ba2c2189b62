"""Asking the gate, and letting an order leave: the dispatch and its shipment in one transaction.

What this needs of api.shipments.service, which belongs to the courier's side of the house:

    open_shipment(
        session: Session, order: Order, carrier: str, tracking_number: str, dispatched_at: datetime,
        *, shipment_id: str, now: datetime,
    ) -> Shipment

It adds a Shipment with this id to the session, commits nothing, and may raise Problem (an unknown carrier, say) to
undo everything. It is called once per order: this module knows a repeated dispatch by its own table.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from api.database import one_at_a_time
from api.dispatch.gate import Gate, InspectionFacts, OrderFacts, gate, together
from api.dispatch.schemas import DispatchDocument
from api.dispatch.tables import Dispatch
from api.errors import Problem, conflict, not_found
from api.inspections.service import latest_of
from api.inspections.tables import Inspection
from api.orders.tables import Order
from api.shipments.service import open_shipment
from inspector.spec import Check
from inspector.verdict import Decision, Result


def ask(session: Session, order_id: str) -> tuple[Order, Inspection | None, Gate]:
    """The order, the inspection that decides and what the gate says. 404 for an order that nobody registered.

    Clocks of benches are not believed: the inspection taken last and the one received last must both open the gate.
    The one that decides is the first of the two that keeps it closed, else the one taken last.
    """
    order = session.get(Order, order_id)
    if order is None:
        raise not_found("order", order_id, "Register it with PUT /v1/orders/{order}; unknown orders may not leave.")
    facts = OrderFacts(order.revision, order.spec().required)
    asked = [(inspection, gate(facts, _facts(inspection))) for inspection in latest_of(session, order_id)]
    if not asked:
        return order, None, gate(facts, None)
    decides = next((inspection for inspection, answer in asked if not answer.allowed), asked[0][0])
    return order, decides, together(answer for _inspection, answer in asked)


def dispatch(
    session: Session, order_id: str, document: DispatchDocument, actor: str, now: datetime, new_id: Callable[[], str]
) -> tuple[Dispatch, bool]:
    """Let the order leave; True when it did not leave before. The same again is answered with what is there.

    409 when the gate is closed, or when the order left otherwise. An order whose label was checked for one number may
    not leave under another.
    """
    one_at_a_time(session, "order", order_id)
    gone = session.get(Dispatch, order_id)
    if gone is not None:
        _same_or_conflict(gone, document)
        return gone, False
    order, latest, answer = ask(session, order_id)
    if latest is None or not answer.allowed:
        why = "; ".join(reason.rstrip(".") for reason in answer.reasons)
        raise Problem(
            409, "held", "This order is held",
            f"Nothing was dispatched. Held because: {why}. Put it right and inspect it again, or have a person "
            "override the inspection.",
            reasons=list(answer.reasons),
        )  # fmt: skip
    expected = order.spec().tracking_number
    if expected is not None and expected != document.tracking_number:
        raise Problem(
            409, "wrong-tracking-number", "The parcel carries another number",
            f"Nothing was dispatched. The label was checked for {expected}, not for {document.tracking_number}. "
            "Correct the order, inspect it again, then dispatch it.",
        )  # fmt: skip
    dispatched_at = document.dispatched_at or now
    shipment = open_shipment(
        session,
        order,
        document.carrier,
        document.tracking_number,
        dispatched_at,
        shipment_id=new_id(),
        now=now,
    )
    gone = Dispatch(
        order_id=order_id,
        inspection_id=latest.id,
        carrier=document.carrier,
        tracking_number=document.tracking_number,
        dispatched_at=dispatched_at,
        shipment_id=shipment.id,
        actor=actor,
    )
    session.add(gone)
    return gone, True


def _same_or_conflict(gone: Dispatch, document: DispatchDocument) -> None:
    same = (gone.carrier, gone.tracking_number) == (document.carrier, document.tracking_number)
    if not same or document.dispatched_at not in (None, gone.dispatched_at):
        raise conflict(
            f"This order left on {gone.dispatched_at.isoformat()} with {gone.carrier} as {gone.tracking_number}; that "
            "was kept. An order leaves once: register a replacement under an id of its own.",
            shipment=gone.shipment_id,
        )


def _facts(inspection: Inspection) -> InspectionFacts:
    results = {check: inspection.verdict["checks"][check]["result"] for check in Check}
    return InspectionFacts(
        decision=Decision(inspection.decision),
        reasons=inspection.verdict["reasons"],
        revision=inspection.order_revision,
        sealed=inspection.sealed,
        overridden=inspection.override is not None,
        passed=frozenset(check for check, result in results.items() if result == Result.PASS),
        failed=frozenset(check for check, result in results.items() if result == Result.FAIL),
    )
