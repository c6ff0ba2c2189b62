"""A seeded warehouse of four weeks, written straight into the tables: what the report looks like on a real day.

Run it to look at the pages: python -m tests.api.reports.realistic_day FOLDER
"""

from __future__ import annotations

import random
import sys
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert
from sqlalchemy.orm import Session

from api.contacts.tables import Contact
from api.database import Database
from api.inspections.tables import Inspection, Override
from api.migrations import migrate
from api.orders.tables import Order
from api.reports import page, service
from api.reports.wording import Language
from api.shipments.lateness import deadline
from api.shipments.tables import LatenessFlag, Shipment
from inspector.spec import Check
from inspector.verdict import CheckResult, Decision, Finding, Result, Verdict, skipped
from inspector.wire import VerdictDocument

DAY = date(2026, 11, 21)
ZONE = ZoneInfo("Europe/Berlin")
KINDS = {
    Check.INTEGRITY: ("tear", "crush", "dent", "open_flap", "tape_fault", "wet"),
    Check.MARKS: ("missing_mark",),
    Check.LABEL: ("missing_label", "wrong_label"),
}
CHECK_OF = {kind: check for check, kinds in KINDS.items() for kind in kinds}
REASONS = (
    "the stain is printed on the carton",
    "a crease of the tape, the flap is closed",
    "checked by hand, label reads",
)
CARRIERS = ("DHL", "Hermes", "SF Express 顺丰", "UPS")


@dataclass
class Rows:
    """What is to be written, table by table."""

    orders: list[dict[str, Any]] = field(default_factory=list)
    inspections: list[dict[str, Any]] = field(default_factory=list)
    overrides: list[dict[str, Any]] = field(default_factory=list)
    shipments: list[dict[str, Any]] = field(default_factory=list)
    flags: list[dict[str, Any]] = field(default_factory=list)
    contacts: list[dict[str, Any]] = field(default_factory=list)

    def write(self, session: Session) -> None:
        for table, rows in (
            (Order, self.orders), (Inspection, self.inspections), (Override, self.overrides),
            (Shipment, self.shipments), (LatenessFlag, self.flags), (Contact, self.contacts),
        ):  # fmt: skip
            if rows:
                session.execute(insert(table), rows)


def verdict(decision: Decision, kinds: tuple[str, ...] = (), unsure: Check | None = None) -> dict[str, Any]:
    """The JSON of a verdict that failed with these kinds, or doubts one check."""
    checks: dict[Check, CheckResult] = {}
    for check in Check:
        findings = tuple(
            Finding(kind, 0.6, 0.9, (1, 2, 3, 4), f"{kind} on the left") for kind in kinds if CHECK_OF[kind] is check
        )
        if check is Check.CONTENTS:
            checks[check] = skipped(check, "the order lists no items")
        else:
            result = Result.FAIL if findings else Result.UNSURE if check is unsure else Result.PASS
            checks[check] = CheckResult(check, result, 0.1, 0.4, findings)
    reasons = tuple(f"{kind} on the left" for kind in kinds) or (("look at it",) if unsure else ())
    return VerdictDocument.of(Verdict(decision, reasons, checks)).model_dump(mode="json")


def inspection(
    order: str, at: datetime, document: dict[str, Any], station: str = "bench-1", **changes: Any
) -> dict[str, Any]:
    """A row of the table of inspections."""
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{order} {at.isoformat()} {station}")),
        "order_id": order, "order_revision": 1, "station": station, "operator": "li", "captured_at": at,
        "received_at": at + timedelta(seconds=2), "taken_at": at, "judged_by": "station",
        "decision": document["verdict"], "sealed": True, "frames": [], "verdict": document, "digest": "0" * 64,
        **changes,
    }  # fmt: skip


def override(row: dict[str, Any], reason: str, approved_by: str = "wang", operator: str = "li") -> dict[str, Any]:
    """A row of the table of overrides."""
    at = row["taken_at"] + timedelta(minutes=2)
    return {
        "inspection_id": row["id"], "reason": reason, "operator": operator, "approved_by": approved_by, "at": at,
        "received_at": at,
    }  # fmt: skip


def order(name: str, at: datetime, promised_by: date | None = None) -> dict[str, Any]:
    """A row of the table of orders."""
    return {
        "id": name, "revision": 1, "document": {}, "promised_by": promised_by, "zone": ZONE.key, "country": "DE",
        "postcode": "10115", "created_at": at, "updated_at": at,
    }  # fmt: skip


def shipment(
    name: str,
    carrier: str,
    dispatched_at: datetime,
    promised_by: date | None,
    delivered_at: datetime | None,
    **changes: Any,
) -> dict[str, Any]:
    """A row of the table of shipments."""
    return {
        "id": f"S-{name}", "order_id": name, "carrier": carrier, "carrier_key": carrier.lower(),
        "tracking_number": f"00{name}", "dispatched_at": dispatched_at,
        "promised_by": promised_by, "zone": ZONE.key,
        "due": deadline(promised_by, ZONE.key, "UTC") if promised_by else None, "promise_version": 1, "origin": "",
        "country": "DE", "postcode_prefix": "10", "lane": "DE-10",
        "status": "delivered" if delivered_at else "in_transit", "delivered_at": delivered_at, "lateness": "on_time",
        "created_at": dispatched_at, **changes,
    }  # fmt: skip


def warehouse(seed: int = 7, parcels: int = 212, back: int = 27) -> Rows:
    """Four weeks that end on DAY; Sundays are free."""
    rng, rows = random.Random(seed), Rows()
    for ago in range(back, -1, -1):
        day = DAY - timedelta(days=ago)
        if day.weekday() < 6:
            _day(rng, rows, day, parcels if ago == 0 else rng.randint(170, 230))
    return rows


def _day(rng: random.Random, rows: Rows, day: date, parcels: int) -> None:
    opens = datetime.combine(day, time(7, 30), ZONE).astimezone(UTC)
    for number in range(parcels):
        name, station = f"{day:%y%m%d}-{number + 1:04}", f"bench-{rng.choices((1, 2, 3, 4), (4, 5, 4, 2))[0]}"
        at = opens + timedelta(minutes=number * 580 / parcels, seconds=rng.randint(0, 59))
        hour = at.astimezone(ZONE).hour
        rows.orders.append(order(name, at))
        torn = 0.09 if station == "bench-2" and 14 <= hour < 16 else 0.012
        kinds = tuple(
            kind
            for kind, chance in {
                "tear": torn, "crush": 0.014, "missing_mark": 0.014, "open_flap": 0.008, "tape_fault": 0.006,
                "wrong_label": 0.005, "dent": 0.005, "missing_label": 0.002,
            }.items()
            if rng.random() < chance
        )  # fmt: skip
        if rng.random() < 0.03:
            rows.inspections.append(inspection(name, at - timedelta(seconds=9), verdict(Decision.RETAKE), station))
        doubt = rng.choice((Check.INTEGRITY, Check.LABEL)) if rng.random() < 0.012 else None
        row = inspection(
            name, at, verdict(Decision.HOLD if kinds or doubt else Decision.RELEASE, kinds, doubt), station
        )
        rows.inspections.append(row)
        if kinds or doubt:
            fate = rng.random()
            if fate < 0.25 or doubt:
                alone = rng.random() < 0.2
                rows.overrides.append(override(row, rng.choice(REASONS), "li" if alone else "wang"))
            elif fate < 0.9:
                later = at + timedelta(minutes=rng.randint(3, 30))
                rows.inspections.append(inspection(name, later, verdict(Decision.RELEASE), station))
        _ship(rng, rows, name, at + timedelta(hours=1), day)


def _ship(rng: random.Random, rows: Rows, name: str, at: datetime, day: date) -> None:
    carrier = rng.choices(CARRIERS, (6, 3, 1, 2))[0]
    promised = day + timedelta(days=3)
    took = timedelta(days=rng.choices((1, 2, 3, 4, 6, 40), (20, 50, 25, 4, 2, 0.3))[0] + (carrier == "Hermes") * 0.15)
    arrives = at + took
    now = datetime.combine(DAY + timedelta(days=1), time(), ZONE).astimezone(UTC)
    arrived = arrives if arrives < now else None
    row = shipment(name, carrier, at, promised, arrived)
    rows.shipments.append(row)
    if arrived is None and row["due"] > now and rng.random() < 0.06:
        rows.flags.append(
            {
                "shipment_id": row["id"],
                "promise_version": 1,
                "kind": "at_risk",
                "since": now - timedelta(hours=6),
                "raised_at": now - timedelta(hours=6),
                "reason": "slow lane",
            }
        )
    if row["due"] < min(arrives, now):
        done = arrived is not None or rng.random() < 0.3
        rows.contacts.append({
            "id": f"C-{name}", "shipment_id": row["id"], "kind": "late", "promise_version": 1, "promised_by": promised,
            "state": "resolved" if done else "open", "opened_at": row["due"] + timedelta(minutes=5),
            "resolved_at": row["due"] + timedelta(hours=10) if done else None,
        })  # fmt: skip


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "day.sqlite3"
    path.unlink(missing_ok=True)
    url = f"sqlite:///{path}"
    migrate(url)
    database = Database(url)
    with database.writing() as session:
        warehouse().write(session)
    with database.reading() as session:
        over = service.daily(session, DAY, ZONE, datetime(2026, 11, 22, 7, 5, tzinfo=UTC))
        running = service.daily(session, DAY, ZONE, datetime(2026, 11, 21, 12, 5, tzinfo=UTC))
        empty = service.daily(session, date(2026, 11, 15), ZONE, datetime(2026, 11, 22, 7, 5, tzinfo=UTC))
    database.close()
    for name, report in {"over": over, "running": running, "empty": empty}.items():
        for language in Language:
            (folder / f"{name}-{language}.html").write_text(page.daily(report, language), encoding="utf-8")
    (folder / "over.json").write_text(over.model_dump_json(indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
