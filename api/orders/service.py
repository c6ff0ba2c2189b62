"""Registering orders: idempotent, with a revision that tells the gate what an inspection was judged against."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from api.context import Services
from api.database import one_at_a_time
from api.orders.schemas import OrderAnswer
from api.orders.tables import Customer, Order
from api.worker import Job
from inspector.wire import OrderDocument


def register(
    session: Session,
    order_id: str,
    document: OrderDocument,
    now: datetime,
    customer_days: int,
    on_new_promise: Callable[[Order], None],
) -> tuple[Order, bool]:
    """Store the order; True when it is new. The same document again changes nothing.

    The revision grows when the eye would judge differently: a new promise or address leaves inspections valid.
    on_new_promise: called when a known order's promise became another one.
    """
    one_at_a_time(session, "order", order_id)
    kept = document.model_dump(mode="json", exclude={"customer"})
    order = session.get(Order, order_id)
    created = order is None
    if order is None:
        order = Order(id=order_id, revision=1, document=kept, created_at=now, updated_at=now)
        session.add(order)
    elif order.document != kept:
        if _judged(OrderDocument.model_validate(order.document)) != _judged(document):
            order.revision += 1
        order.document, order.updated_at = kept, now
    promised_anew = not created and (order.promised_by, order.zone) != (document.promised_by, document.zone)
    order.promised_by, order.zone = document.promised_by, document.zone
    order.country = document.destination.country if document.destination else None
    order.postcode = document.destination.postcode if document.destination else None
    session.flush()
    _remember_customer(session, order, document, now, customer_days)
    session.flush()
    if promised_anew:
        on_new_promise(order)
    return order, created


def answer(session: Session, order: Order, *, with_customer: bool) -> OrderAnswer:
    """The order as JSON."""
    customer = session.get(Customer, order.id) if with_customer else None
    fields = ("name", "email", "phone", "language")
    return OrderAnswer.model_validate(
        {
            **order.document,
            "customer": {field: getattr(customer, field) for field in fields} if customer else None,
            "id": order.id,
            "revision": order.revision,
            "created_at": order.created_at,
            "updated_at": order.updated_at,
        }
    )


def forget_customers(session: Session, today: date) -> int:
    """Erase whom to contact where the promise is long past. Returns how many."""
    erased = session.execute(delete(Customer).where(Customer.expires_on < today).returning(Customer.order_id))
    return len(erased.all())


def _judged(document: OrderDocument) -> tuple[object, ...]:
    spec = document.spec()
    return sorted((item.item, item.quantity) for item in spec.items), spec.marks, spec.packaging, spec.tracking_number


def _remember_customer(
    session: Session, order: Order, document: OrderDocument, now: datetime, customer_days: int
) -> None:
    given = document.customer.model_dump() if document.customer else {}
    customer = session.get(Customer, order.id)
    if not any(given.values()):
        if customer is not None:
            session.delete(customer)
        return
    promised_by = max(document.promised_by or now.date(), now.date())
    span = timedelta(days=customer_days)
    expires_on = promised_by + span if promised_by <= date.max - span else date.max
    if customer is None:
        session.add(Customer(order_id=order.id, expires_on=expires_on, **given))
        return
    customer.expires_on = expires_on
    for field, value in given.items():
        setattr(customer, field, value)


def _forget(services: Services, _stop: threading.Event) -> None:
    with services.database.writing() as session:
        forget_customers(session, services.clock().date())


JOBS = (Job("forget customers", timedelta(hours=6), _forget),)
