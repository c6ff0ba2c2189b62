"""Addresses of orders."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Response

from api.context import Given
from api.errors import not_found, problems
from api.fields import Identifier
from api.orders import service
from api.orders.schemas import EXAMPLE, OrderAnswer
from api.orders.tables import Order
from api.security import Caller, Scope, require
from api.shipments import service as shipments
from inspector.wire import OrderDocument

router = APIRouter(prefix="/v1/orders", tags=["orders"])
OrderId = Annotated[Identifier, Path(description="The shop's own id, percent-encoded.", examples=["A1"])]


@router.put(
    "/{order:id}",
    summary="Register an order or change it",
    responses={200: {"description": "Known already"}, 201: {"model": OrderAnswer}, **problems(401, 403, 413, 422)},
)
def put_order(
    order: OrderId,
    document: Annotated[OrderDocument, Body(examples=[EXAMPLE])],
    services: Given,
    response: Response,
    _caller: Annotated[Caller, Depends(require(Scope.WAREHOUSE))],
) -> OrderAnswer:
    """The packing spec, the promise, where it goes and whom to contact; replaces what was registered before.

    A new promise also holds for a parcel of this order that is under way: its flag and contact follow.
    """
    now, zone = services.clock(), services.settings.zone
    with services.database.writing() as session:

        def promise_again(changed: Order) -> None:
            shipments.promise_again(session, changed, now, settings_zone=zone, new_id=services.new_id)

        kept, created = service.register(session, order, document, now, services.settings.customer_days, promise_again)
        response.status_code = 201 if created else 200
        return service.answer(session, kept, with_customer=True)


@router.get("/{order:id}", summary="An order", responses=problems(401, 403, 404))
def get_order(
    order: OrderId,
    services: Given,
    caller: Annotated[Caller, Depends(require(Scope.WAREHOUSE, Scope.STATION))],
) -> OrderAnswer:
    """As it is registered. A key with the scope station alone is not told the customer."""
    with services.database.reading() as session:
        kept = session.get(Order, order)
        if kept is None:
            raise not_found("order", order, "Register it with PUT /v1/orders/{order}.")
        return service.answer(session, kept, with_customer=caller.may(Scope.WAREHOUSE))
