"""What the database tells: late arrivals, rework, strangers, overrides; on SQLite and on PostgreSQL."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient

from api.context import Services
from api.reports import service
from api.reports.schemas import DailyReport, State
from api.settings import Settings
from inspector.spec import Check
from inspector.verdict import Decision
from tests.api import making
from tests.api.reports.realistic_day import ZONE, Rows, inspection, order, override, shipment, verdict

TODAY = date(2026, 11, 22)
"""The day of the tests' clock: nine in the morning, UTC."""
HELD = verdict(Decision.HOLD, ("tear",))
FINE = verdict(Decision.RELEASE)

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"zone": ZONE.key})


@pytest.fixture
def ask(client: TestClient, keys: dict[str, dict[str, str]]) -> Ask:
    def report(day: date = TODAY) -> dict[str, Any]:
        answer = client.get(f"/reports/daily/{day}.json", headers=keys["warehouse"])
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    return report


@pytest.fixture
def send(client: TestClient, keys: dict[str, dict[str, str]]) -> Callable[..., None]:
    def put(name: str, **changes: Any) -> None:
        decision = changes.pop("decision", "release")
        document = making.inspection(decision=decision, **changes)
        answer = client.put(f"/v1/inspections/{name}", json=document, headers=keys["station"])
        assert answer.status_code in (200, 201), answer.text

    return put


def read(services: Services, day: date, now: datetime | None = None) -> DailyReport:
    with services.database.reading() as session:
        return service.daily(session, day, ZONE, now or services.clock())


def write(services: Services, rows: Rows) -> None:
    with services.database.writing() as session:
        rows.write(session)


def at(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), ZONE).astimezone(UTC)


def test_a_day_without_anything_is_an_empty_day(ask: Ask) -> None:
    report = ask()
    assert report["totals"]["presented"] == 0
    assert report["totals"]["first_pass"]["rate"] is None
    assert (report["defects"], report["stations"], report["carriers"], report["stave"]) == ([], [], [], None)
    assert report["state"] == State.RUNNING
    assert ask(TODAY + timedelta(days=1))["state"] == State.NOT_BEGUN


def test_the_same_inspection_sent_twice_is_one_parcel(ask: Ask, send: Callable[..., None]) -> None:
    send("i1")
    send("i1")
    assert ask()["totals"]["inspections"] == ask()["totals"]["presented"] == 1


def test_an_inspection_of_an_order_that_nobody_registered_is_presented(ask: Ask, send: Callable[..., None]) -> None:
    send("i1", order="nobody/knows 易碎", order_revision=None)
    assert ask()["totals"]["first_pass"]["count"] == 1


def test_an_inspection_that_arrives_late_belongs_to_the_day_it_was_taken(ask: Ask, send: Callable[..., None]) -> None:
    send("i1", captured_at="2026-11-20T22:59:59Z")  # one second before midnight in Berlin
    send("i2", captured_at="2026-11-20T23:00:00Z", order="A2")
    assert ask(date(2026, 11, 20))["totals"]["presented"] == 1
    assert ask(date(2026, 11, 21))["totals"]["presented"] == 1
    assert ask()["totals"]["presented"] == 0


def test_a_bench_whose_clock_runs_ahead_hides_nothing_in_the_future(ask: Ask, send: Callable[..., None]) -> None:
    send("i1", captured_at="2026-12-24T08:00:00Z")
    assert ask()["totals"]["presented"] == 1


def test_held_reworked_and_held_then_overridden(
    ask: Ask, send: Callable[..., None], client: TestClient, keys: dict[str, dict[str, str]]
) -> None:
    send("i1", order="A1", decision="hold")
    send("i2", order="A1", captured_at="2026-11-22T08:59:30Z")
    send("i3", order="A2", decision="hold", station="bench-2")
    reason = {"reason": "the stain is printed", "operator": "li", "approved_by": "wang", "at": "2026-11-22T09:00:00Z"}
    assert client.put("/v1/inspections/i3/override", json=reason, headers=keys["station"]).is_success
    report = ask()
    totals = report["totals"]
    assert (totals["presented"], totals["inspections"], totals["held_once"]) == (2, 3, 2)
    assert (totals["first_pass"]["count"], totals["reworked"], totals["overridden"]) == (0, 1, 1)
    assert report["defects"][0] | {"share": 1, "cumulative": 1} == {
        "kind": "tear", "parcels": 2, "standing": 1, "overruled": 1, "share": 1, "cumulative": 1,
    }  # fmt: skip
    assert report["override_reasons"] == [{"reason": "the stain is printed", "count": 1}]
    assert report["sentences"]["en"] == (
        "Shortest stave: torn packaging, 1 of 2 parcels (50.0 %). So few may be chance."
    )


def test_rework_of_yesterdays_hold_is_no_first_pass(services: Services) -> None:
    yesterday = TODAY - timedelta(days=1)
    held = inspection("A1", at(yesterday, "17:00"), HELD)
    doubted = inspection("A2", at(yesterday, "17:01"), verdict(Decision.RETAKE))
    rows = Rows(inspections=[held, doubted], overrides=[override(doubted, "seen by hand")])
    rows.inspections += [inspection(name, at(TODAY, "08:00"), FINE) for name in ("A1", "A2", "A3")]
    write(services, rows)
    totals = read(services, TODAY).totals
    assert (totals.presented, totals.first_pass.count, totals.reworked) == (3, 1, 2)


def test_the_strip_agrees_with_each_days_own_report(services: Services) -> None:
    rng, rows = random.Random(11), Rows()
    for _ in range(400):
        moment = at(TODAY - timedelta(days=rng.randint(1, 9)), "07:00") + timedelta(minutes=rng.randint(0, 600))
        decision = rng.choice(list(Decision))
        row = inspection(f"A{rng.randint(1, 120)}", moment, verdict(decision, ("tear",) if decision == "hold" else ()))
        if any(row["id"] == other["id"] for other in rows.inspections):
            continue
        rows.inspections.append(row)
        if decision != "release" and rng.random() < 0.4:
            rows.overrides.append(override(row, "fine"))
    write(services, rows)
    weeks = read(services, TODAY).weeks
    assert len(weeks) == 28
    assert sum(line.presented for line in weeks) > 200
    for line in weeks[-12:]:
        totals = read(services, line.day).totals
        assert (line.presented, line.first_pass) == (totals.presented, totals.first_pass)


def test_local_days_of_23_and_25_hours_hold_what_happened_in_them(services: Services) -> None:
    rows = Rows()
    spring_starts, autumn_starts = datetime(2026, 3, 28, 23, 30, tzinfo=UTC), datetime(2026, 10, 24, 22, 30, tzinfo=UTC)
    for hour in range(-2, 26):
        past = timedelta(hours=hour)
        rows.inspections.append(inspection(f"S{hour}", spring_starts + past, FINE))
        rows.inspections.append(inspection(f"W{hour}", autumn_starts + past, FINE))
    write(services, rows)
    spring, autumn = read(services, date(2026, 3, 29)), read(services, date(2026, 10, 25))
    assert (spring.hours, spring.totals.presented) == (23, 23)
    assert (autumn.hours, autumn.totals.presented) == (25, 25)


def test_only_failed_checks_of_a_hold_are_defects(services: Services) -> None:
    doubt = verdict(Decision.HOLD, unsure=Check.LABEL)
    write(services, Rows(inspections=[inspection("A1", at(TODAY, "08:00"), doubt)]))
    report = read(services, TODAY)
    assert report.defects == ()
    assert {line.check: line.unsure for line in report.checks}[Check.LABEL] == 1
    assert [line.kinds for line in report.still_held] == [()]
    assert report.totals.held == 1


def test_carriers_flags_and_contacts_as_they_stood(services: Services) -> None:
    yesterday, now = TODAY - timedelta(days=1), at(TODAY, "10:00")
    sent = at(TODAY - timedelta(days=5), "15:00")
    rows = Rows(orders=[order(name, sent) for name in ("late", "kept", "broken", "risky", "fresh")])
    rows.shipments = [
        shipment("late", "DHL", sent, TODAY - timedelta(days=3), None),
        shipment("kept", "DHL", sent, yesterday, at(yesterday, "12:00")),
        shipment("broken", "DHL", sent, yesterday, at(TODAY, "00:00")),
        shipment("risky", "顺丰", sent, TODAY + timedelta(days=1), None),
        shipment("fresh", "顺丰", at(yesterday, "16:00"), None, None),
    ]
    raised, cleared = at(yesterday, "09:00"), at(TODAY, "08:00")
    rows.flags = [
        {
            "shipment_id": "S-risky", "promise_version": 1, "kind": "at_risk", "since": raised, "raised_at": raised,
            "reason": "slow", "cleared_at": cleared, "cleared_because": "looks_better",
        }
    ]  # fmt: skip
    contact = {"kind": "late", "promise_version": 1, "promised_by": yesterday}
    rows.contacts = [
        {**contact, "id": "c1", "shipment_id": "S-late", "state": "open", "opened_at": at(yesterday, "01:00")},
        {
            **contact, "id": "c2", "shipment_id": "S-broken", "state": "resolved", "opened_at": at(TODAY, "00:01"),
            "resolved_at": at(TODAY, "09:00"),
        },
    ]  # fmt: skip
    write(services, rows)

    report = read(services, yesterday, now)
    dhl, sf = report.carriers
    assert (dhl.delivered_on_time, dhl.delivered_late, dhl.due, dhl.became_late, dhl.open_late) == (1, 0, 2, 1, 2)
    assert dhl.oldest is not None
    assert dhl.oldest.order == "late"
    assert (sf.dispatched, sf.at_risk, sf.due) == (1, 1, 0)
    assert (report.contacts.open, report.contacts.opened, report.contacts.resolved) == (1, 1, 0)
    assert report.stave is not None
    assert (report.stave.name, report.stave.parcels.count, report.stave.parcels.of) == ("DHL", 1, 2)

    report = read(services, TODAY, now)
    assert {line.carrier: (line.delivered_late, line.at_risk) for line in report.carriers} == {"DHL": (1, 0)}
    assert (report.contacts.open, report.contacts.opened, report.contacts.resolved) == (1, 1, 1)


def test_who_may_read_it(client: TestClient, keys: dict[str, dict[str, str]]) -> None:
    address = f"/reports/daily/{TODAY}"
    assert client.get(address).status_code == 401
    assert client.get(address, headers=keys["station"]).status_code == 403
    for scope in ("warehouse", "support", "admin"):
        assert client.get(address, headers=keys[scope]).status_code == 200
    token = keys["support"]["Authorization"].removeprefix("Bearer ")
    basic = {"Authorization": "Basic " + base64.b64encode(f":{token}".encode()).decode()}
    for path in (address, f"{address}.json", "/reports/"):
        assert client.get(path, headers=basic).status_code == 200


def test_the_page_comes_in_both_languages_and_forbids_everything_foreign(
    client: TestClient, keys: dict[str, dict[str, str]], send: Callable[..., None]
) -> None:
    send("i1", station="<b>bench", decision="hold")
    for lang, title in (("en", "Sunday, 22 November 2026"), ("zh", "2026年11月22日 星期日")):
        answer = client.get(f"/reports/daily/{TODAY}?lang={lang}", headers=keys["support"])
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["cache-control"] == "no-store"
        assert title in answer.text
        assert "&lt;b&gt;bench" in answer.text
        assert "<b>bench" not in answer.text


@pytest.mark.parametrize(
    "path", ["daily/2026-13-01", "daily/1999-12-31", "daily/9999-12-31.json", "daily/2026-11-21?lang=fr"]
)
def test_what_is_no_day_or_language_is_refused(path: str, client: TestClient, keys: dict[str, dict[str, str]]) -> None:
    answer = client.get(f"/reports/{path}", headers=keys["support"])
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_index_has_the_last_days_with_today_first(
    client: TestClient, keys: dict[str, dict[str, str]], send: Callable[..., None]
) -> None:
    send("i1")
    text = client.get("/reports/?lang=zh", headers=keys["support"]).text
    assert text.index("daily/2026-11-22?lang=zh") < text.index("daily/2026-11-21?lang=zh")
    assert "daily/2026-10-26?" in text
    assert "100%" in text


def test_zones_of_the_far_east_and_west_see_their_own_day(services: Services) -> None:
    write(services, Rows(inspections=[inspection("A1", datetime(2026, 11, 21, 20, tzinfo=UTC), FINE)]))
    with services.database.reading() as session:
        for zone, day in (("Asia/Shanghai", date(2026, 11, 22)), ("America/Los_Angeles", date(2026, 11, 21))):
            assert service.daily(session, day, ZoneInfo(zone), services.clock()).totals.presented == 1
