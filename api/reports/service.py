"""Reads what a local day left in the database and makes the report of it. Only narrow rows leave the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from api.contacts import tables as contacts
from api.inspections import tables as inspections
from api.reports import days, deliveries, figures
from api.reports.schemas import Contacts, DailyReport, State
from api.reports.stave import shortest
from api.reports.wording import Language, Words
from api.shipments import tables as shipments
from api.shipments.lateness import Lateness
from api.shipments.tracking import FINAL
from inspector.spec import Check
from inspector.verdict import Decision, Result

Seen, Given = inspections.Inspection, inspections.Override
Parcel = shipments.Shipment
Flag = shipments.LatenessFlag

STOPPED = or_(Seen.decision == Decision.HOLD, Given.inspection_id.is_not(None))
"""With overrides joined: this inspection alone means that the parcel did not pass the first time."""


def daily(session: Session, day: date, zone: ZoneInfo, now: datetime) -> DailyReport:
    """The report of one local day, as the database tells it at `now`."""
    start, end = days.bounds(day, zone)
    state = State.NOT_BEGUN if now < start else State.RUNNING if now < end else State.OVER
    as_of = min(max(now, start), end)
    rows = _inspections(session, start, end)
    parcels = figures.fold(rows, _held_before(session, start, end))
    totals = figures.totals(parcels, len(rows))
    checks, pareto = figures.checks(parcels), figures.pareto(parcels)
    lines = deliveries.carriers(_shipments(session, start, end, as_of), start, end, as_of)
    carriers_total = deliveries.total(lines)
    overrides = figures.overrides(rows)
    stave = shortest(parcels, pareto, lines, zone)
    today = days.DayLine(day, totals.presented, totals.first_pass)
    earlier = [_day_line(session, day - timedelta(days=ago), zone) for ago in range(days.STRIP - 1, 0, -1)]
    weeks = days.with_limits([*earlier, today])
    return DailyReport(
        day=day,
        zone=zone.key,
        starts_at=start,
        ends_at=end,
        hours=(end - start) / timedelta(hours=1),
        state=state,
        as_of=as_of,
        made_at=now,
        sentences={
            language: Words(language, zone).stave(
                stave, presented=totals.presented, due=carriers_total.due, running=state is not State.OVER
            )
            for language in Language
        },
        totals=totals,
        quality=figures.quality(checks),
        checks=checks,
        defects=pareto,
        stations=figures.stations(parcels),
        carriers=lines,
        carriers_total=carriers_total,
        contacts=_contacts(session, start, end, as_of),
        stave=stave,
        before=days.compare(totals.first_pass, weeks[-2]),
        weeks=weeks,
        override_reasons=figures.reasons(overrides),
        overrides=overrides,
        still_held=figures.still_held(parcels),
    )


def latest(session: Session, zone: ZoneInfo, now: datetime) -> tuple[days.DayLine, ...]:
    """The last four weeks, today first."""
    today = days.local_today(now, zone)
    return tuple(_day_line(session, today - timedelta(days=ago), zone) for ago in range(days.STRIP))


def _inspections(session: Session, start: datetime, end: datetime) -> list[figures.Inspection]:
    """Whatever was taken in [start, end), whenever it arrived. A bench whose clock ran ahead counts when it arrived.

    Only a hold can have a failed check, so only for holds the checks leave the database whole.
    """
    results = [Seen.verdict["checks"][check.value]["result"].as_string() for check in Check]
    query = (
        select(
            Seen.id, Seen.order_id, Seen.station, Seen.taken_at, Seen.decision, *results,
            case((Seen.decision == Decision.HOLD, Seen.verdict["checks"])),
            Given.reason, Given.operator, Given.approved_by, Given.at,
        )
        .outerjoin(Given, Given.inspection_id == Seen.id)
        .where(Seen.taken_at >= start, Seen.taken_at < end)
    )  # fmt: skip
    return [_inspection(tuple(row)) for row in session.execute(query)]


def _inspection(row: Sequence[Any]) -> figures.Inspection:
    identity, order, station, taken_at, decision = row[:5]
    answers = row[5 : 5 + len(Check)]
    checks, reason, operator, approved_by, at = row[5 + len(Check) :]
    return figures.Inspection(
        id=identity,
        order=order,
        station=station,
        captured_at=taken_at,
        decision=Decision(decision),
        results={check: Result(answer) for check, answer in zip(Check, answers, strict=True)},
        kinds=_kinds(checks or {}),
        override=None if at is None else figures.Override(reason, operator, approved_by, at),
    )


def _kinds(checks: Mapping[str, Any]) -> frozenset[str]:
    failed = (check for check in checks.values() if check["result"] == Result.FAIL)
    return frozenset(cast("str", finding["kind"]) for check in failed for finding in check["findings"])


def _held_before(session: Session, start: datetime, end: datetime) -> frozenset[str]:
    """The orders of [start, end) that were held or overridden on an earlier day: what follows is rework."""
    today = aliased(Seen)
    earlier = (
        select(Seen.order_id)
        .outerjoin(Given, Given.inspection_id == Seen.id)
        .where(
            Seen.taken_at < start,
            Seen.order_id.in_(select(today.order_id).where(today.taken_at >= start, today.taken_at < end)),
            STOPPED,
        )
        .distinct()
    )
    return frozenset(session.scalars(earlier))


def _day_line(session: Session, day: date, zone: ZoneInfo) -> days.DayLine:
    """Presented and first pass of one day, as `figures.fold` defines them, without reading its inspections."""
    start, end = days.bounds(day, zone)
    past, past_given = aliased(Seen), aliased(Given)
    overridden = exists().where(past_given.inspection_id == past.id)
    held_before = exists().where(
        past.order_id == Seen.order_id, past.taken_at < start, or_(past.decision == Decision.HOLD, overridden)
    )
    released = func.max(case((Seen.decision == Decision.RELEASE, Seen.taken_at)))
    other = func.max(case((Seen.decision != Decision.RELEASE, Seen.taken_at)))
    stopped = func.max(case((STOPPED, 1), else_=0))
    parcels = (
        select(
            case(
                (and_(stopped == 0, released.is_not(None), or_(other.is_(None), released > other), ~held_before), 1),
                else_=0,
            ).label("first_pass")
        )
        .select_from(Seen)
        .outerjoin(Given, Given.inspection_id == Seen.id)
        .where(Seen.taken_at >= start, Seen.taken_at < end)
        .group_by(Seen.order_id)
        .subquery()
    )
    presented, passed = session.execute(
        select(func.count(), func.coalesce(func.sum(parcels.c.first_pass), 0)).select_from(parcels)
    ).one()
    return days.DayLine(day, presented, figures.share(int(passed), presented))


def _shipments(session: Session, start: datetime, end: datetime, as_of: datetime) -> list[deliveries.Shipment]:
    """Every parcel that left, arrived or was due in the day, and every one then late or at risk under way."""
    flagged = Parcel.id.in_(  # no correlated EXISTS: this list is made once, and is short
        select(Flag.shipment_id).where(
            Flag.kind == Lateness.AT_RISK,
            Flag.raised_at <= as_of,
            or_(Flag.cleared_at.is_(None), Flag.cleared_at > as_of),
        )
    )
    is_open = Parcel.status.not_in([status.value for status in FINAL])
    under_way = or_(and_(Parcel.delivered_at.is_(None), is_open), Parcel.delivered_at >= as_of)
    query = select(
        Parcel.id, Parcel.order_id, Parcel.carrier, Parcel.tracking_number, Parcel.dispatched_at, Parcel.promised_by,
        Parcel.due, Parcel.delivered_at, is_open, flagged,
    ).where(
        or_(
            and_(Parcel.dispatched_at >= start, Parcel.dispatched_at < end),
            and_(Parcel.delivered_at >= start, Parcel.delivered_at < end),
            and_(Parcel.due > start, Parcel.due <= end),
            and_(Parcel.due <= as_of, under_way),
            and_(flagged, under_way),
        )
    )  # fmt: skip
    return [deliveries.Shipment(*row[:8], bool(row[8]), bool(row[9])) for row in session.execute(query)]


def _contacts(session: Session, start: datetime, end: datetime, as_of: datetime) -> Contacts:
    row = contacts.Contact
    still_open = and_(row.opened_at <= as_of, or_(row.resolved_at.is_(None), row.resolved_at > as_of))
    counted = [
        func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
        for condition in (
            still_open,
            and_(row.opened_at >= start, row.opened_at < end),
            and_(row.resolved_at >= start, row.resolved_at < end),
        )
    ]
    is_open, opened, resolved = session.execute(select(*counted)).one()
    return Contacts(open=int(is_open), opened=int(opened), resolved=int(resolved))
