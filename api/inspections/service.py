"""Keeping inspections: each exactly once, its pictures first, overrides on top."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from api.audit import EvidenceViewed, Overridden, record
from api.context import Services
from api.database import one_at_a_time
from api.errors import Problem, conflict, invalid, not_found
from api.inspections.pictures import Received
from api.inspections.schemas import (
    ANNOTATED,
    FrameDocument,
    InspectionAnswer,
    InspectionDocument,
    OverrideDocument,
    PictureAnswer,
)
from api.inspections.tables import Inspection, Override, Picture
from api.paging import Page, read_cursor, write_cursor
from inspector.spec import Stage
from inspector.verdict import Decision
from inspector.wire import VerdictDocument


def keep(
    services: Services,
    inspection_id: str,
    document: InspectionDocument,
    pictures: Sequence[Received],
    judged_by: str = "station",
) -> tuple[InspectionAnswer, bool]:
    """Store an inspection with its pictures; True when it is new. The same again is answered with what is there.

    Pictures are durable before the row is, and the row before this returns: whoever was told "kept" can rely on it,
    and whoever was not can send it again. Raises 409 when the id is taken by another content.
    """
    _names_belong(document, pictures)
    digest = digest_of(document, pictures)
    with services.database.reading() as session:  # a repeated delivery is common; answer it without writing
        known = session.get(Inspection, inspection_id)
        if known is not None:
            return _same_or_conflict(known, digest), False
    keys = [services.evidence.keep(picture.content, picture.suffix) for picture in pictures]
    now = services.clock()
    with services.database.writing() as session:
        one_at_a_time(session, "inspection", inspection_id)
        known = session.get(Inspection, inspection_id)
        if known is not None:
            return _same_or_conflict(known, digest), False
        row = Inspection(
            id=inspection_id,
            order_id=document.order,
            order_revision=document.order_revision,
            station=document.station,
            operator=document.operator,
            captured_at=document.captured_at,
            received_at=now,
            taken_at=min(document.captured_at, now),
            judged_by=judged_by,
            decision=document.verdict.verdict.value,
            sealed=_shows_the_sealed_parcel(document, pictures),
            frames=[frame.model_dump(mode="json") for frame in document.frames],
            verdict=document.verdict.model_dump(mode="json"),
            digest=digest,
            pictures=[
                Picture(
                    inspection_id=inspection_id,
                    name=picture.name,
                    position=position,
                    media_type=picture.media_type,
                    size=len(picture.content),
                    sha256=picture.sha256,
                    key=key,
                )
                for position, (picture, key) in enumerate(zip(pictures, keys, strict=True))
            ],
            override=None,
        )
        session.add(row)
        kept = answer(row)
    services.metrics.judged(row.decision, judged_by)
    return kept, True


def digest_of(document: InspectionDocument, pictures: Sequence[Received]) -> str:
    """SHA-256 of everything an inspection says and shows, independent of the order of parts and of spelling.

    Raises a 422 Problem when a number is not finite: JSON has no word for it.
    """
    said = {
        "inspection": document.model_dump(mode="python"),
        "pictures": sorted((picture.name, picture.sha256) for picture in pictures),
    }
    try:
        text = json.dumps(said, sort_keys=True, ensure_ascii=False, allow_nan=False, default=str)
    except ValueError as error:
        raise invalid("Nothing was stored. NaN and Infinity are no JSON; send finite numbers.") from error
    return hashlib.sha256(text.encode()).hexdigest()


def override(
    session: Session, inspection_id: str, document: OverrideDocument, actor: str, now: datetime
) -> tuple[Inspection, bool]:
    """Release a held parcel by a person's decision; True when it is new. Recorded in the audit log.

    404 for an unknown inspection; 409 when it was released already, by the eye or by another override.
    """
    one_at_a_time(session, "inspection", inspection_id)
    row = find(session, inspection_id)
    if row.override is not None:
        if OverrideDocument.model_validate(row.override) != document:
            raise conflict(
                f"This inspection was overridden by {row.override.operator}, approved by {row.override.approved_by}, "
                "with other words; that was kept."
            )
        return row, False
    if row.decision == Decision.RELEASE:
        raise Problem(
            409, "released", "There is nothing to override", "The eye released this parcel. Ask the gate what else is "
            "wrong: GET /v1/orders/{order}/dispatch.",
        )  # fmt: skip
    row.override = Override(inspection_id=inspection_id, received_at=now, **document.model_dump())
    said = Overridden(actor, inspection_id, document.operator, document.approved_by, document.reason)
    record(session, said, now)
    session.flush()
    return row, True


def find(session: Session, inspection_id: str) -> Inspection:
    """The inspection; 404 when there is none."""
    row = session.get(Inspection, inspection_id)
    if row is None:
        raise not_found("inspection", inspection_id, "Send it with PUT /v1/inspections/{id}.")
    return row


def latest_of(session: Session, order_id: str) -> tuple[Inspection, ...]:
    """The inspections that decide about an order: the last one taken, then the last one received if it is another.

    When it was taken is what a bench's clock said, which may be slow; when it was received is the server's clock, but
    a bench that was offline sends late. Neither alone is the truth. Empty when the order was never inspected.
    """
    of_order = select(Inspection).where(Inspection.order_id == order_id).limit(1)
    taken, received = Inspection.taken_at.desc(), Inspection.received_at.desc()
    last_taken = session.scalars(of_order.order_by(taken, received, Inspection.id.desc())).first()
    last_received = session.scalars(of_order.order_by(received, taken, Inspection.id.desc())).first()
    return tuple(dict.fromkeys(row for row in (last_taken, last_received) if row is not None))


def page(
    session: Session, order: str | None, verdict: Decision | None, cursor: str | None, limit: int
) -> Page[InspectionAnswer]:
    """Newest first."""
    query = select(Inspection).order_by(Inspection.taken_at.desc(), Inspection.id.desc()).limit(limit + 1)
    if order is not None:
        query = query.where(Inspection.order_id == order)
    if verdict is not None:
        query = query.where(Inspection.decision == verdict.value)
    if cursor is not None:
        query = query.where(tuple_(Inspection.taken_at, Inspection.id) < read_cursor(cursor))
    rows = session.scalars(query).all()
    more = write_cursor(rows[limit - 1].taken_at, rows[limit - 1].id) if len(rows) > limit else None
    return Page(items=[answer(row) for row in rows[:limit]], next=more)


def fetch_picture(services: Services, inspection_id: str, name: str, actor: str) -> tuple[Picture, bytes]:
    """A picture's row and bytes, checked against the SHA-256 it was kept under. Recorded in the audit log."""
    with services.database.reading() as session:
        find(session, inspection_id)
        picture = session.get(Picture, (inspection_id, name))
    if picture is None:
        raise not_found("picture", name, "The inspection lists its pictures.")
    content = services.evidence.fetch(picture.key)
    if content is None or hashlib.sha256(content).hexdigest() != picture.sha256:
        raise Problem(
            500, "evidence-damaged", "The picture is not what was stored",
            f"The evidence store has {'lost' if content is None else 'altered bytes of'} {picture.key}. Restore that "
            "file from a backup; its SHA-256 is its name.",
        )  # fmt: skip
    with services.database.writing() as session:
        record(session, EvidenceViewed(actor, inspection_id, name), services.clock())
    return picture, content


def answer(row: Inspection) -> InspectionAnswer:
    """The inspection as JSON."""
    base = f"/v1/inspections/{quote(row.id, safe='')}/pictures/"
    return InspectionAnswer(
        id=row.id,
        order=row.order_id,
        order_revision=row.order_revision,
        station=row.station,
        operator=row.operator,
        captured_at=row.captured_at,
        received_at=row.received_at,
        judged_by=row.judged_by,
        frames=[FrameDocument.model_validate(frame) for frame in row.frames],
        verdict=VerdictDocument.model_validate(row.verdict),
        pictures=[
            PictureAnswer(
                name=picture.name,
                media_type=picture.media_type,
                size=picture.size,
                sha256=picture.sha256,
                url=base + quote(picture.name, safe=""),
            )
            for picture in row.pictures
        ],
        override=OverrideDocument.model_validate(row.override) if row.override is not None else None,
    )


def taken(known: Inspection) -> Problem:
    """409: this id belongs to another inspection."""
    return conflict(
        f"The inspection {known.id!r} is there with another content, received {known.received_at.isoformat()}; that "
        "was kept. Give each inspection an id of its own."
    )


def _same_or_conflict(known: Inspection, digest: str) -> InspectionAnswer:
    if known.digest != digest:
        raise taken(known)
    return answer(known)


def _shows_the_sealed_parcel(document: InspectionDocument, pictures: Sequence[Received]) -> bool:
    """A frame of the sealed parcel is listed and its picture came along; a frame that is only listed is no evidence."""
    received = {picture.name for picture in pictures}
    return any(frame.stage is Stage.SEALED and frame.name in received for frame in document.frames)


def _names_belong(document: InspectionDocument, pictures: Sequence[Received]) -> None:
    known = {frame.name for frame in document.frames}
    known |= {ANNOTATED + name for name in known}
    names = [picture.name for picture in pictures]
    for name in names:
        if name not in known:
            raise invalid(
                f"Nothing was stored. The picture {name!r} belongs to no frame; name it like one of "
                f"{sorted(frame.name for frame in document.frames)}, or {ANNOTATED}<frame name>.",
                pointer="/pictures",
            )
        if names.count(name) > 1:
            raise invalid(f"Nothing was stored. Two pictures have the name {name!r}.", pointer="/pictures")
