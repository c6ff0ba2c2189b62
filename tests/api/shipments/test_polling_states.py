"""The poll table as a state machine: workers come, go, answer late or die, and the rules hold at every step."""

from __future__ import annotations

import random
import shutil
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from api.contacts.tables import Contact
from api.database import Database
from api.orders.tables import Order
from api.shipments import flags, polling
from api.shipments.carriers import Failed, NotFound, Outcome, Rejected, RetryAfter
from api.shipments.carriers.outcome import tracked
from api.shipments.polling import Claim
from api.shipments.service import open_shipment, set_promise
from api.shipments.settling import Circumstances
from api.shipments.tables import LatenessFlag, Poll, Shipment, TrackingEventRow
from api.shipments.tracking import FINAL, Status, event

START = datetime(2026, 11, 22, 9, tzinfo=UTC)
NUMBERS = ["A", "B", "C"]
outcomes = st.one_of(
    st.just(NotFound()),
    st.builds(Failed, st.just("broken")),
    st.builds(Rejected, st.just("wrong number")),
    st.builds(RetryAfter, st.floats(1, 3600)),
    st.builds(
        lambda hours, statuses: tracked(
            [event(START + timedelta(hours=h), status) for h, status in zip(hours, statuses, strict=False)]
        ),
        st.lists(st.integers(0, 200), min_size=1, max_size=4, unique=True),
        st.lists(st.sampled_from([s for s in Status if s is not Status.EXPIRED]), min_size=4, max_size=4),
    ),
)


class Polling(RuleBasedStateMachine):
    """Three parcels, any number of workers, one clock that only goes forward."""

    template: Path
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "db.sqlite3"
        shutil.copy(self.template, path)
        self.database = Database(f"sqlite:///{path}")
        self.now = START
        self.rng = random.Random(1)
        self.count = 0

    @initialize(days=st.lists(st.integers(-1, 6), min_size=3, max_size=3))
    def send(self, days: list[int]) -> None:
        with self.database.writing() as session:
            for number, promise in zip(NUMBERS, days, strict=True):
                order = Order(
                    id=number, revision=1, document={}, promised_by=START.date() + timedelta(days=promise),
                    created_at=START, updated_at=START,
                )  # fmt: skip
                session.add(order)
                session.flush()
                open_shipment(session, order, "house", number, START, shipment_id=number, now=START)

    @rule(target=claims, size=st.integers(1, 3))
    def claim(self, size: int) -> Claim | None:
        with self.database.writing() as session:
            before = {poll.shipment_id: poll.lease_until for poll in session.scalars(select(Poll))}
            claim = polling.claim_due(session, "house", self.now, self.new_id(), batch_size=size, per_second=1000)
        for number in claim.numbers if claim else ():
            until = before[number]
            assert until is None or until <= self.now, "a parcel was taken from a worker that still may hold it"
        return claim

    @rule(claim=claims, answers=st.lists(outcomes, min_size=3, max_size=3))
    def answer(self, claim: Claim | None, answers: list[Outcome]) -> None:
        """Also late, and also twice: a claim stays in the bundle."""
        if claim is None:
            return
        given = dict(zip(NUMBERS, answers, strict=True))
        with self.database.writing() as session:
            standing = set(session.scalars(select(Poll.shipment_id).where(Poll.lease == claim.lease)))
            assert polling.take_answers(session, claim, given, self.world()) == len(standing)
            assert session.scalars(select(Poll).where(Poll.lease == claim.lease)).all() == []

    @rule(hours=st.sampled_from([0.01, 0.1, 1, 6, 30, 24 * 70]))
    def wait(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def watch(self) -> None:
        with self.database.writing() as session:
            for shipment in polling.overdue_promises(session, self.now, 100):
                flags.assess(session, shipment, self.now, "UTC", self.new_id)
            assert not polling.promises_overdue(session, self.now), "it would be looked at for ever"

    @rule(number=st.sampled_from(NUMBERS), days=st.integers(-2, 9))
    def promise(self, number: str, days: int) -> None:
        day: date = (self.now + timedelta(days=days)).date()
        with self.database.writing() as session:
            if session.get_one(Shipment, number).delivered_at is None:
                set_promise(session, number, day, None, self.now, settings_zone="UTC", new_id=self.new_id)

    @invariant()
    def rules_hold(self) -> None:
        with self.database.reading() as session:
            for shipment in session.scalars(select(Shipment)):
                self.rules_of(shipment, session.get_one(Poll, shipment.id))
                standing = session.scalars(
                    select(LatenessFlag).where(
                        LatenessFlag.shipment_id == shipment.id, LatenessFlag.cleared_at.is_(None)
                    )
                ).all()
                assert [flag.kind for flag in standing] == (
                    [shipment.lateness] if shipment.lateness in ("late", "at_risk") else []
                )
                contacts = session.scalars(select(Contact).where(Contact.shipment_id == shipment.id)).all()
                unresolved = [contact for contact in contacts if contact.state == "open"]
                assert bool(unresolved) == (shipment.lateness == "late")
                assert all(contact.promise_version == shipment.promise_version for contact in unresolved)
                assert len({contact.promise_version for contact in contacts}) == len(contacts)
                hashes = session.scalars(
                    select(TrackingEventRow.content_hash).where(TrackingEventRow.shipment_id == shipment.id)
                ).all()
                assert len(set(hashes)) == len(hashes)

    def rules_of(self, shipment: Shipment, poll: Poll) -> None:
        finished = shipment.status in FINAL
        assert (poll.next_poll_at is None) == finished, "asked no more if and only if nothing more can come"
        assert (shipment.delivered_at is not None) == (shipment.status == Status.DELIVERED)
        assert (shipment.lateness == "delivered") == (shipment.delivered_at is not None)
        if poll.next_poll_at is not None:
            assert poll.next_poll_at <= self.now + timedelta(hours=24), "no parcel is forgotten"
        if shipment.lateness == "late":
            assert shipment.due is not None
            assert shipment.due <= self.now

    def world(self) -> Circumstances:
        return Circumstances(self.now, "UTC", self.rng, self.new_id)

    def new_id(self) -> str:
        self.count += 1
        return f"id-{self.count}"

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()


def test_the_rules_of_polling_hold_whatever_happens(sqlite_template: Path) -> None:
    Polling.template = sqlite_template
    run_state_machine_as_test(
        Polling,
        settings=settings(
            max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
