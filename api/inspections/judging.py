"""The server's own judgement: pictures that came over HTTP, decoded, judged, and recorded when they have an order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from api.context import Services
from api.errors import Problem, invalid, not_found
from api.inspections import service
from api.inspections.forms import Shot
from api.inspections.pictures import receive
from api.inspections.schemas import FrameDocument, InspectionDocument, JudgedDocument
from api.inspections.tables import Inspection
from api.orders.tables import Order
from inspector.frame import Frame, FrameError, Limits, decode
from inspector.shadow import Judged
from inspector.spec import PackingSpec
from inspector.verdict import Verdict
from inspector.wire import VerdictDocument

STATION = "server"
"""What stands as the station of an inspection that the server made itself."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is told. created: an inspection was recorded. judged: what the shadows may judge once the answer
    is out; None when nothing was judged anew.
    """

    document: JudgedDocument
    created: bool
    judged: Judged | None


def judge(services: Services, shots: Sequence[Shot], weight_g: float | None) -> Answer:
    """Only the answer; nothing is stored."""
    judged = _look(services, shots, PackingSpec(), weight_g)
    return Answer(_document(judged.verdict), False, judged)


def judge_and_keep(
    services: Services, shots: Sequence[Shot], order_id: str, inspection_id: str, weight_g: float | None
) -> Answer:
    """Judge against the order and record the inspection.

    The same pictures under the same id again are not judged again: the answer is what was recorded. 404 for an order
    that nobody registered, for there is nothing to judge against.
    """
    most = services.settings.max_picture_bytes
    pictures = [receive(shot.name, shot.content, most) for shot in shots]
    names_and_digests = [(picture.name, picture.sha256) for picture in pictures]
    with services.database.reading() as session:
        order = session.get(Order, order_id)
        if order is None:
            raise not_found("order", order_id, "Register it with PUT /v1/orders/{order}, then inspect it.")
        known = session.get(Inspection, inspection_id)
        if known is not None:
            return Answer(_recorded(known, order_id, names_and_digests), False, None)
        spec, revision = order.spec(), order.revision
    judged = replace(_look(services, shots, spec, weight_g), inspection=inspection_id, order=order_id)
    document = InspectionDocument(
        order=order_id,
        order_revision=revision,
        station=STATION,
        captured_at=services.clock(),
        frames=tuple(FrameDocument(name=p.name, stage=s.stage) for p, s in zip(pictures, shots, strict=True)),
        verdict=VerdictDocument.of(judged.verdict),
    )
    try:
        service.keep(services, inspection_id, document, pictures, judged_by="server")
    except Problem as problem:
        if problem.slug != "conflict":
            raise
        with services.database.reading() as session:  # the same request was judged meanwhile: its answer stands
            return Answer(_recorded(service.find(session, inspection_id), order_id, names_and_digests), False, None)
    told = {"inspection": inspection_id, "order": order_id, "order_revision": revision}
    return Answer(_document(judged.verdict, **told), True, judged)


def _look(services: Services, shots: Sequence[Shot], spec: PackingSpec, weight_g: float | None) -> Judged:
    begin = time.perf_counter()
    limits = Limits(bytes=services.settings.max_picture_bytes)
    try:
        frames: list[Frame] = [decode(shot.content, name=shot.name, stage=shot.stage, limits=limits) for shot in shots]
    except FrameError as error:
        raise invalid(f"Nothing was judged. {error}.", pointer="/pictures", slug="bad-picture") from error
    decoded = time.perf_counter()
    verdict = services.eye.get().inspect(frames, spec, weight_g)
    end = time.perf_counter()
    services.metrics.inspected(end - begin)
    timings = {"decode": 1e3 * (decoded - begin), **verdict.timings_ms, "total": 1e3 * (end - begin)}
    return Judged(tuple(frames), spec, replace(verdict, timings_ms=timings), by=STATION, weight_g=weight_g)


def _document(verdict: Verdict, **recorded: object) -> JudgedDocument:
    document = VerdictDocument.of(verdict)
    return JudgedDocument.model_construct(**dict(document), **recorded)  # type: ignore[arg-type]  # validated just now


def _recorded(known: Inspection, order_id: str, pictures: list[tuple[str, str]]) -> JudgedDocument:
    same = known.order_id == order_id and [(p.name, p.sha256) for p in known.pictures] == pictures
    if not same:
        raise service.taken(known)
    return JudgedDocument.model_validate(
        {
            **known.verdict,
            "inspection": known.id,
            "order": known.order_id,
            "order_revision": known.order_revision,
        }
    )
