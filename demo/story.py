"""The demo's day: which parcels come to the bench, and what is done about each."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from demo.courier import KEY, Courier, late_journey, prompt_journey
from demo.warehouse import DemoError, Warehouse, until
from inspector import Stage, decode
from inspector.annotate import draw, encode_jpeg
from inspector.wire import VerdictDocument

PICTURES = Path(__file__).parent / "pictures"
CARRIER = "demo-post"


@dataclass(frozen=True)
class Parcel:
    """One order of the day. picture: what the bench camera sees. what: how a person calls it. fine: may leave so."""

    order: str
    picture: str
    number: str
    what: str
    marks: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    stage: Stage = Stage.SEALED
    fine: bool = True


PARCELS = (
    Parcel("A-1001", "01-intact-carton.jpg", "LL000000001", "a carton with a FRAGILE sticker", marks=("fragile",)),
    Parcel("A-1002", "02-intact-mailer.jpg", "LL000000002", "a poly mailer"),
    Parcel("A-1003", "03-crushed-corner.jpg", "LL000000003", "a carton with a crushed corner", fine=False),
    Parcel("A-1004", "04-torn-hole.jpg", "LL000000004", "a carton with a torn hole", fine=False),
    Parcel("A-1005", "05-wet.jpg", "LL000000005", "a wet carton", fine=False),
    Parcel(
        "A-1006",
        "06-missing-mark.jpg",
        "LL000000006",
        "a carton without its FRAGILE mark",
        marks=("fragile",),
        fine=False,
    ),
    Parcel("A-1007", "07-wrong-label.jpg", "LL000000007", "a carton with another order's label", fine=False),
    Parcel("A-1008", "08-open-flap.jpg", "LL000000008", "a carton with an open flap", fine=False),
    Parcel("A-1009", "09-this-way-up.jpg", "LL000000009", "a carton, this way up", marks=("this_way_up",)),
    Parcel("A-1010", "10-blurred.jpg", "LL000000010", "a carton in motion", fine=False),
    Parcel(
        "A-1011",
        "11-open-box.jpg",
        "LL000000011",
        "an open box",
        items=("usb-cable", "manual"),
        stage=Stage.OPEN,
        fine=False,
    ),
)
REPACKED = Parcel("A-1004", "13-fixed.jpg", "LL000000004", "the same goods in a new carton")
LATE, PROMPT = PARCELS[0], PARCELS[1]


@dataclass
class Day:
    """Plays the day at a warehouse and tells it. say: one line to the person who watches. out: where pictures go."""

    warehouse: Warehouse
    courier: Courier
    out: Path
    say: Callable[[str], None]
    now: datetime
    inspections: dict[str, dict[str, Any]] = field(default_factory=dict)
    right: list[bool] = field(default_factory=list)

    def play(self) -> None:
        """From the first order to the printed report."""
        self._chapter("Orders arrive")
        for parcel in PARCELS:
            self.warehouse.register(parcel.order, self._order(parcel))
        self.say(f"  {len(PARCELS)} orders registered, each with its packing spec and its promise")
        self._chapter("The bench camera looks at each parcel")
        for parcel in PARCELS:
            self._judge(parcel)
        self.say(f"  right in {sum(self.right)} of {len(self.right)}; what the model can and cannot do is on its card")
        self._chapter("The dispatch gate")
        self._fix(PARCELS[3], REPACKED)
        self._override(PARCELS[5], "the sticker is on now, we both looked")
        for parcel in PARCELS:  # what the machine held for nothing, people let go
            if parcel.fine and self.inspections[parcel.order]["verdict"] == "hold":
                self._override(parcel, "we looked, nothing is wrong")
        gone = [parcel for parcel in (*PARCELS[:3], REPACKED, *PARCELS[4:]) if self._dispatch(parcel)]
        if not gone:
            raise DemoError("no parcel was let go; look at the annotated pictures")
        self._chapter("Under way")
        self._follow(gone)
        self._chapter("The day on paper")
        self._report()

    def _chapter(self, title: str) -> None:
        self.say(f"\n{title}")

    def _order(self, parcel: Parcel) -> dict[str, Any]:
        promised = self.now.date() - timedelta(days=1) if parcel is LATE else self.now.date() + timedelta(days=3)
        return {
            "items": [{"item": item} for item in parcel.items],
            "marks": list(parcel.marks),
            "tracking_number": parcel.number,
            "promised_by": promised.isoformat(),
            "zone": "UTC",
            "destination": {"country": "BR", "postcode": "01310-100"},
            "customer": {"name": "Maria Souza", "email": "maria@example.org", "language": "en"},
        }

    def _judge(self, parcel: Parcel) -> dict[str, Any]:
        data = (PICTURES / parcel.picture).read_bytes()
        answer = self.warehouse.inspect(parcel.order, data, parcel.stage)
        self.inspections[parcel.order] = answer
        told = {name: answer[name] for name in VerdictDocument.model_fields if name in answer}
        verdict = VerdictDocument.model_validate(told).to_verdict()
        copy = self.out / "pictures" / parcel.picture
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(encode_jpeg(draw(decode(data, name=parcel.picture), verdict)))
        why = "; ".join(verdict.reasons) or "nothing found"
        right = (verdict.decision == "release") == parcel.fine
        self.right.append(right)
        self.say(f"  {parcel.order}  {verdict.decision.upper():8}{parcel.what}: {why}{'' if right else '   <- WRONG'}")
        return answer

    def _fix(self, held: Parcel, repacked: Parcel) -> None:
        self._say_gate(held)
        refused = self.warehouse.dispatch(held.order, {"carrier": CARRIER, "tracking_number": held.number})
        if refused.status_code != 409:
            raise DemoError(f"{held.order} should have been held, but the gate answered {refused.status_code}")
        self.say(f"  {held.order}  dispatched all the same? Refused: 409 {refused.json()['title']}")
        self.say(f"  {held.order}  repacked, and back under the camera:")
        self._judge(repacked)
        self._say_gate(held)

    def _say_gate(self, parcel: Parcel) -> None:
        gate = self.warehouse.gate(parcel.order)
        state = "open" if gate["allowed"] else f"closed: {'; '.join(gate['reasons'])}"
        self.say(f"  {parcel.order}  gate {state}")

    def _override(self, parcel: Parcel, reason: str) -> None:
        """A person decides against the machine, with a reason and a second person."""
        answer = self.inspections[parcel.order]
        if answer["verdict"] == "release":
            return
        document = {"reason": reason, "operator": "li", "approved_by": "wang", "at": _text(self.now)}
        self.warehouse.override(answer["inspection"], document)
        self.say(f"  {parcel.order}  overridden by li and wang: “{reason}”")
        self._say_gate(parcel)

    def _dispatch(self, parcel: Parcel) -> bool:
        if not self.warehouse.gate(parcel.order)["allowed"]:
            return False
        left = self.now - timedelta(days=5 if parcel is LATE else 2)
        self.courier.script(parcel.number, late_journey(left) if parcel is LATE else prompt_journey(left))
        document = {"carrier": CARRIER, "tracking_number": parcel.number, "dispatched_at": _text(left)}
        answer = self.warehouse.dispatch(parcel.order, document)
        if answer.is_error:
            raise DemoError(f"{parcel.order} was let go by the gate, but dispatch says {answer.text}")
        self.say(f"  {parcel.order}  handed to {CARRIER} as {parcel.number}")
        return True

    def _follow(self, gone: list[Parcel]) -> None:
        prompt = [parcel for parcel in gone if parcel is not LATE]
        arrived = until(lambda: self._delivered(len(prompt)), f"{len(prompt)} parcels to be polled and found delivered")
        self.say(f"  {len(arrived)} of {len(gone)} parcels delivered")
        if LATE not in gone:
            self.say(f"  {LATE.order} was not let go, so nothing runs late today")
            return
        contact = until(self._contact, f"{LATE.order} to be flagged late")
        self.say(f"  {contact['order']}  late by {contact['days_late']} day(s): {contact['last_event']['text']}")
        self.say(f"  to contact before they complain: {contact['customer']['name']} <{contact['customer']['email']}>")
        self.say(f"  suggested words: {contact['suggestion']['text']}")

    def _delivered(self, count: int) -> list[dict[str, Any]] | None:
        found = self.warehouse.listed("/v1/shipments", lateness="delivered")
        return found if len(found) >= count else None

    def _contact(self) -> dict[str, Any] | None:
        return next(iter(self.warehouse.listed("/v1/contacts", state="open")), None)

    def _report(self) -> None:
        day: date = datetime.now(UTC).date()
        for lang in ("en", "zh"):
            page = self.out / f"report-{day}-{lang}.html"
            page.write_bytes(self.warehouse.page(f"/reports/daily/{day}", lang=lang))
        twin = self.warehouse.page(f"/reports/daily/{day}.json")
        (self.out / f"report-{day}.json").write_bytes(twin)
        for sentence in json.loads(twin)["sentences"].values():
            self.say(f"  {sentence}")


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def carriers_file(courier: Courier) -> str:
    """The TOML that teaches the server the simulated courier's own JSON, as a shop would teach it a courier of its own.

    The courier's key comes from the environment, see CARRIER_KEY.
    """
    return f"""\
[carriers.{CARRIER}]
kind = "http"
url = "{courier.url}/parcels?ids={{numbers}}"
headers = {{ X-Key = "${{DEMO_COURIER_KEY}}" }}
batch_size = 20
zone = "America/Sao_Paulo"
time_format = "%d/%m/%Y %H:%M"

[carriers.{CARRIER}.answer]
parcels = "data.parcels"
number = "id"
events = "history"
time = "when"
event_status = "code"
text = "note"
place = "city"

[carriers.{CARRIER}.statuses]
COL = "picked_up"
TRN = "in_transit"
DLY = "delayed"
OFD = "out_for_delivery"
DLV = "delivered"
"""


CARRIER_KEY = {"DEMO_COURIER_KEY": KEY}
