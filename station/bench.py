"""The state machine of one parcel, from the scan of its order to the light."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from inspector.frame import Frame, Pixels
from inspector.spec import Check, PackingSpec, Stage
from inspector.verdict import Decision, ModelRef, Result, Verdict
from station.advice import Advice, advise
from station.orders import Order, OrderError, order_number
from station.record import Picture, evidence, inspection_body, override_body
from station.scale import Scale
from station.spool import SpoolError

log = logging.getLogger(__name__)


class Phase(StrEnum):
    """Where the parcel is."""

    IDLE = "idle"
    LOOKING_UP = "looking_up"
    WAITING = "waiting"
    JUDGING = "judging"
    RELEASED = "released"
    HELD = "held"
    RETAKE = "retake"
    BLOCKED = "blocked"


class Eye(Protocol):
    """`inspector.Inspector` is one."""

    @property
    def models(self) -> tuple[ModelRef, ...]:
        """Which weights speak."""

    def inspect(self, frames: Sequence[Frame], spec: PackingSpec, weight_g: float | None = None) -> Verdict:
        """Judge all pictures of one parcel together, and what the open box weighs."""

    def shown(self, verdict: Verdict) -> Mapping[str, Pixels]:
        """A picture of each item that is not surely in the box, by item."""


class Keeper(Protocol):
    """Keeps decisions durably; `station.spool.Spool` does."""

    def add(self, inspection: str, body: str, pictures: Sequence[tuple[str, bytes]], at: datetime) -> None:
        """Durable when it returns; SpoolError when not."""

    def add_override(self, inspection: str, body: str, at: datetime) -> None:
        """Durable when it returns; SpoolError when not."""


AFTER = {Decision.RELEASE: Phase.RELEASED, Decision.HOLD: Phase.HELD, Decision.RETAKE: Phase.RETAKE}
"""Where a sealed parcel is once its verdict is kept."""


class Approver(Protocol):
    """`station.approval.Approval` is one."""

    def check(self, *, operator: str, approver: str, pin: str) -> None:
        """Raises when this person may not approve."""


@dataclass(frozen=True, slots=True)
class Override:
    """A held parcel was released by a person."""

    reason: str
    operator: str
    approved_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """All that the kiosk shows of the parcel under the camera; replaced as a whole at every change.

    do: the one thing to do next. pictures: those judged, open box first. inspection: id of the kept record, None while
    there is none. problem: why the phase is `blocked`, in plain words. notice: something to know that changes nothing.
    weight_g: what the open box weighed when it was looked at, None where nobody weighed it. weighed: some look at this
    open box was made with a weight.
    """

    phase: Phase = Phase.IDLE
    do: Advice = field(default_factory=lambda: Advice("scan"))
    order: Order | None = None
    stage: Stage = Stage.SEALED
    opened: Picture | None = None
    pictures: tuple[Picture, ...] = ()
    verdict: Verdict | None = None
    inspection: str | None = None
    override: Override | None = None
    problem: str | None = None
    notice: Advice | None = None
    scanned: str | None = None
    marked_wrong: bool = False
    weight_g: float | None = None
    weighed: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """What the bench needs of it. find: order number -> Order, raising OrderError. new_id: of an inspection."""

    eye: Eye
    keeper: Keeper
    approver: Approver
    find: Callable[[str], Order]
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    kept: Callable[[], None] = field(default=lambda: None)


class NotNowError(Exception):
    """The bench is not in a phase in which this can be done. str() says why."""


class ReasonError(ValueError):
    """An override without a reason."""


class Bench:
    """One parcel at a time. Every method may be called from any thread.

    The rule that everything here serves: `RELEASED` is reached only after a record that says so is durable.
    """

    def __init__(self, world: World, *, station: str, operator: str | None = None) -> None:
        self._world = world
        self._station = station
        self._lock = threading.Lock()
        self._moment = Moment()
        self._turn = 0
        self.scale = Scale(world.clock)
        self.operator = operator

    @property
    def moment(self) -> Moment:
        """The parcel as it stands now."""
        return self._moment

    @property
    def turn(self) -> int:
        """Grows with every change."""
        return self._turn

    @property
    def wants(self) -> Stage | None:
        """The stage of which a picture is wanted now without anybody asking, None when none is."""
        moment = self._moment
        return moment.stage if moment.phase in (Phase.WAITING, Phase.RETAKE) else None

    def scan(self, text: str) -> bool:
        """An order number was scanned or typed. Scanning the order that is already here means: take the picture.

        Returns True when a picture is to be taken now. Raises NotNowError while a parcel is being judged.
        """
        with self._lock:
            now = self._moment
            if now.phase in (Phase.JUDGING, Phase.LOOKING_UP):
                raise NotNowError("Still busy with the last parcel. Scan again when the answer is there.")
            try:
                number = order_number(text)
            except OrderError as error:
                self._set(self._unusable(now, error, text))
                return False
            if now.order and now.order.id == number and now.phase in (Phase.WAITING, Phase.RETAKE, Phase.HELD):
                return True
            left = now.order.id if now.order and now.phase in (Phase.WAITING, Phase.RETAKE) else None
            notice = Advice("left_unfinished", {"order": left}) if left else None
            self.scale.clear()  # what lay on it was of the order before; what is told from now on is of this one
            self._set(Moment(Phase.LOOKING_UP, Advice("wait"), scanned=number, notice=notice))
            turn = self._turn
        try:
            after = _waiting(self._world.find(number), notice)
        except (OrderError, SpoolError) as error:
            after = _blocked(error, number, notice)
        with self._lock:
            if self._turn == turn:
                self._set(after)
        return False

    def weigh(self, weight_g: float) -> None:
        """The open box weighs this, in grams; for its next look. Raises WeightError, and NotNowError where that look
        would never use it: who weighed must not believe that it counted.
        """
        with self._lock:
            now = self._moment
            if now.phase is not Phase.LOOKING_UP and not _open_box(now):
                raise NotNowError("A weight is of an open box, before it is looked at, and there is none now.")
            self.scale.put(weight_g)

    def judge(self, picture: Callable[[Stage], Picture], *, by_hand: bool = True) -> Moment:
        """Judge a picture of the stage that is due; picture: makes it. Returns the moment after.

        by_hand False: the trigger asked. If the eye then finds no parcel at all, nothing is said to the packer; the
        caller sees it in the returned moment's `verdict`. Raises NotNowError, and what the eye raises: the parcel is
        then where it was before, with a notice.
        """
        with self._lock:
            before = self._moment
            if before.phase not in (Phase.WAITING, Phase.RETAKE, Phase.HELD) or before.order is None:
                raise NotNowError("Scan an order first.")
            stage, order = before.stage, before.order
            if stage is Stage.OPEN:
                weight = self.scale.weight_g
                before = replace(before, weight_g=weight, weighed=before.weighed or weight is not None)
            looking = replace(before, phase=Phase.JUDGING, do=Advice("wait"), notice=None)
            self._set(replace(looking, verdict=None, inspection=None))  # the last verdict is not this look's
            turn = self._turn
        try:
            after = self._judged(before, order, picture(stage), by_hand=by_hand)
        except SpoolError as error:
            after = replace(before, phase=Phase.BLOCKED, do=Advice(f"spool_{error.code}"), problem=str(error))
        except BaseException:
            self._swap(turn, replace(before, notice=Advice("not_judged")))
            raise
        if not by_hand and nothing_there(after.verdict):
            self._swap(turn, replace(before, notice=Advice("nothing_seen")))
            return after
        with self._lock:
            if self._turn == turn:
                if stage is Stage.OPEN and after.phase is not Phase.RETAKE:
                    self.scale.clear()  # what comes next may be another content; a bad picture is taken again of this
                self._set(after)
        return after

    def _judged(self, before: Moment, order: Order, picture: Picture, *, by_hand: bool) -> Moment:
        """The moment after looking at one more picture. Every verdict on the sealed parcel is kept, a retake too: an
        order that was released before must not leave on that release while its newest look is in doubt.
        """
        stage = picture.frame.stage
        opened = picture if stage is Stage.OPEN else before.opened
        pictures = (picture,) if opened is None or stage is Stage.OPEN else (opened, picture)
        verdict = self._world.eye.inspect([p.frame for p in pictures], order.spec, before.weight_g)
        fresh = replace(
            before, opened=opened, pictures=pictures, verdict=verdict, override=None, problem=None, notice=None
        )
        fresh = replace(fresh, inspection=None, marked_wrong=False, do=advise(verdict, order.spec))
        unasked = not by_hand and nothing_there(verdict)  # the trigger took the bare bench: no look at any parcel
        if verdict.decision is Decision.RETAKE and (stage is Stage.OPEN or unasked):
            return replace(fresh, phase=Phase.RETAKE)
        if stage is Stage.OPEN:
            contents = verdict.checks[Check.CONTENTS]
            if contents.result is Result.FAIL:
                return replace(fresh, phase=Phase.HELD)
            if (
                contents.findings
            ):  # the weight, or a thing nobody ordered: it can be looked at now, not once it is sealed
                return replace(fresh, phase=Phase.HELD, do=Advice("check_items"))
            if _weight_missing(fresh):
                return replace(fresh, phase=Phase.HELD, do=Advice("weigh_again"))
            return replace(fresh, phase=Phase.WAITING, stage=Stage.SEALED, do=Advice("seal"), verdict=None)
        return self._keep(fresh, order, verdict)

    def _keep(self, fresh: Moment, order: Order, verdict: Verdict) -> Moment:
        """Write the verdict down, and only then show it."""
        inspection = self._world.new_id()
        body = inspection_body(
            order=order, station=self._station, operator=self.operator, pictures=fresh.pictures, verdict=verdict
        )
        self._world.keeper.add(
            inspection, body, evidence(fresh.pictures, verdict, self._world.eye.shown(verdict)), self._world.clock()
        )
        self._world.kept()
        return replace(fresh, phase=AFTER[verdict.decision], inspection=inspection)

    def override(self, *, reason: str, approver: str, pin: str) -> None:
        """A second person releases the parcel. Raises NotNowError, ReasonError, ApprovalError, SpoolError."""
        reason = " ".join(reason.split())
        if not 2 <= len(reason) <= 500:
            raise ReasonError("Say in a few words why this parcel may leave.")
        turn, now = self._turn, self._moment
        _may_override(now)
        self._world.approver.check(operator=self.operator or "", approver=approver, pin=pin)
        with self._lock:
            if self._turn != turn or now.inspection is None:
                raise NotNowError("The parcel has changed meanwhile.")
            at = self._world.clock()
            done = Override(reason, self.operator or "", approver, at)
            body = override_body(reason=reason, operator=done.operator, approved_by=approver, at=at)
            self._world.keeper.add_override(now.inspection, body, at)
            self._set(replace(now, phase=Phase.RELEASED, do=Advice("ship"), override=done, problem=None))
        self._world.kept()

    def go_on(self) -> None:
        """The open box was held, and the packer seals it all the same: the sealed parcel's verdict will say it."""
        with self._lock:
            now = self._moment
            if now.phase is not Phase.HELD or now.stage is not Stage.OPEN:
                raise NotNowError("There is no open box to go on with.")
            if _weight_missing(now):
                raise NotNowError("The box was weighed before, and may be another one now: weigh it and look again.")
            self._set(replace(now, phase=Phase.WAITING, stage=Stage.SEALED, do=Advice("seal"), verdict=None))

    def clear(self) -> None:
        """Done with this parcel, or given up: back to the scan. What was kept stays kept. Raises NotNowError."""
        with self._lock:
            now = self._moment
            if now.phase in (Phase.JUDGING, Phase.LOOKING_UP):
                raise NotNowError("Still judging; wait for the answer.")
            unjudged = now.inspection is None or now.phase is Phase.RETAKE
            unfinished = now.order is not None and unjudged and now.phase is not Phase.BLOCKED
            left = Advice("left_unfinished", {"order": now.order.id}) if unfinished and now.order else None
            self._set(Moment(notice=left))

    def marked_wrong(self, inspection: str) -> None:
        """The packer's "the machine was wrong" was kept."""
        with self._lock:
            if self._moment.inspection == inspection:
                self._set(replace(self._moment, marked_wrong=True))

    def _unusable(self, now: Moment, error: OrderError, text: str) -> Moment:
        """A scan that is no order number must not disturb the parcel that is here."""
        notice = Advice(error.code, {"text": text[:40]})
        if now.phase in (Phase.IDLE, Phase.BLOCKED):
            return Moment(notice=notice)
        return replace(now, notice=notice)

    def _swap(self, turn: int, after: Moment) -> None:
        with self._lock:
            if self._turn == turn:
                self._set(after)

    def _set(self, moment: Moment) -> None:
        self._moment = moment
        self._turn += 1


def _waiting(order: Order, notice: Advice | None) -> Moment:
    """The order is known: show the open box first if there is a packing list, else the sealed parcel."""
    stage = Stage.OPEN if order.spec.items else Stage.SEALED
    if order.remembered_at is not None:
        notice = Advice("remembered", {"at": order.remembered_at.isoformat()})
    return Moment(Phase.WAITING, Advice(f"show_{stage}"), order, stage, notice=notice, scanned=order.id)


def _blocked(error: OrderError | SpoolError, number: str, notice: Advice | None) -> Moment:
    code = f"order_{error.code}" if isinstance(error, OrderError) else f"spool_{error.code}"
    return Moment(Phase.BLOCKED, Advice(code, {"order": number}), problem=str(error), scanned=number, notice=notice)


def _may_override(moment: Moment) -> None:
    if moment.phase not in (Phase.HELD, Phase.RETAKE) or moment.stage is Stage.OPEN:
        raise NotNowError("Only a sealed parcel that was held can be released by a person.")


def _open_box(moment: Moment) -> bool:
    """True while an open box may be weighed and looked at."""
    return moment.stage is Stage.OPEN and moment.phase in (Phase.WAITING, Phase.RETAKE, Phase.HELD)


def _weight_missing(moment: Moment) -> bool:
    """True when the newest look at an open box knew less than an earlier one, which a weight may have held."""
    return moment.weighed and moment.weight_g is None


def nothing_there(verdict: Verdict | None) -> bool:
    """True when the eye saw no parcel in the latest picture."""
    return verdict is not None and any(fault.kind == "no_parcel" for fault in verdict.quality)
