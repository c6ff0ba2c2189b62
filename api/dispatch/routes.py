"""Addresses of the dispatch gate."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Response

from api.context import Given
from api.dispatch import service
from api.dispatch.schemas import DispatchAnswer, DispatchDocument, GateAnswer
from api.errors import problems
from api.inspections.schemas import OverrideDocument
from api.orders.routes import OrderId
from api.security import Caller, Scope, require

router = APIRouter(prefix="/v1/orders/{order:id}/dispatch", tags=["dispatch"])


@router.get("", summary="May this order leave?", responses=problems(401, 403, 404))
def ask(
    order: OrderId,
    services: Given,
    _caller: Annotated[Caller, Depends(require(Scope.WAREHOUSE, Scope.STATION))],
) -> GateAnswer:
    """Allowed when the inspections taken last and received last (mostly one and the same) released the order as it is
    now, or a person did. `inspection` is the one that keeps the gate closed, else the one taken last.
    """
    with services.database.reading() as session:
        _order, latest, gate = service.ask(session, order)
        return GateAnswer(
            order=order,
            allowed=gate.allowed,
            reasons=list(gate.reasons),
            inspection=latest.id if latest else None,
            override=OverrideDocument.model_validate(latest.override) if latest and latest.override else None,
        )


@router.post(
    "",
    summary="Let the order leave",
    responses={
        200: {"description": "It left before, just so"},
        201: {"model": DispatchAnswer},
        **problems(401, 403, 404, 409, 413, 422),
    },
)
def dispatch(
    order: OrderId,
    document: DispatchDocument,
    services: Given,
    response: Response,
    caller: Annotated[Caller, Depends(require(Scope.WAREHOUSE))],
) -> DispatchAnswer:
    """Hands the order to a carrier and starts to watch the parcel. 409 with `reasons` when the gate is closed."""
    with services.database.writing() as session:
        gone, created = service.dispatch(
            session, order, document, caller.prefix, services.clock(), services.new_id
        )  # fmt: skip
    response.status_code = 201 if created else 200
    response.headers["Location"] = f"/v1/shipments/{quote(gone.shipment_id, safe='')}"
    return DispatchAnswer(
        id=gone.shipment_id,
        order=gone.order_id,
        carrier=gone.carrier,
        tracking_number=gone.tracking_number,
        dispatched_at=gone.dispatched_at,
        inspection=gone.inspection_id,
    )
