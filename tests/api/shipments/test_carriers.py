"""Whatever a courier does, every number gets an outcome, and what is right is kept. By real HTTP."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.shipments.carriers import (
    CarrierClient,
    Failed,
    NotFound,
    Rejected,
    RetryAfter,
    Tracked,
    close_all,
    load_carriers,
)
from api.shipments.carriers.fetch import LONGEST_PATIENCE, Fetcher, Unanswered, retry_after
from api.shipments.carriers.outcome import every
from api.shipments.carriers.seventeentrack import STATUSES, SeventeenTrack
from api.shipments.tracking import Status
from demo.courier import Courier, Mood, journey, late_journey, prompt_journey
from tests.api.conftest import Clock
from tests.api.shipments.conftest import ENVIRONMENT, carriers_toml

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def parcels(courier: Courier, carrier: CarrierClient) -> list[str]:
    """Three parcels that the courier knows; 17TRACK has them registered by a first look."""
    start = NOW - timedelta(days=3)
    for number, scans in {"LP1": late_journey(start), "LP2": prompt_journey(start), "LP3": late_journey(start)}.items():
        courier.script(number, scans)
    numbers = ["LP1", "LP2", "LP3"]
    carrier.track(numbers)
    courier.requests.clear()
    return numbers


def test_events_and_status(parcels: list[str], carrier: CarrierClient) -> None:
    outcomes = carrier.track(parcels)
    late, prompt = outcomes["LP1"], outcomes["LP2"]
    assert isinstance(late, Tracked)
    assert isinstance(prompt, Tracked)
    assert (late.status, prompt.status) == (Status.DELAYED, Status.DELIVERED)
    assert [one.status for one in late.events] == [Status.PICKED_UP, Status.IN_TRANSIT, Status.DELAYED]
    assert late.events[-1].text == "Held at hub: flight cancelled"
    assert late.events[-1].place == "Campinas"
    exact = NOW - timedelta(days=3) + timedelta(days=1.6)
    assert abs(late.events[-1].at - exact) < timedelta(minutes=1)  # whatever zone the courier wrote it in


def test_a_time_without_zone_is_the_carriers_and_says_so(
    parcels: list[str], shape: str, carrier: CarrierClient
) -> None:
    late = carrier.track(parcels)["LP1"]
    assert isinstance(late, Tracked)
    assert {one.zoned for one in late.events} == {shape == "17"}


def test_a_number_nobody_scanned_yet_is_not_found(carrier: CarrierClient) -> None:
    assert carrier.track(["NEW1"]) == {"NEW1": NotFound()}
    assert carrier.track(["NEW1"]) == {"NEW1": NotFound()}


def test_17track_registers_what_it_does_not_know(courier: Courier, carriers: dict[str, CarrierClient]) -> None:
    courier.script("LP1", late_journey(NOW - timedelta(days=3)))
    assert carriers["17"].track(["LP1"]) == {"LP1": NotFound()}
    assert [path for path, _ in courier.requests] == ["/track/v2.2/gettrackinfo", "/track/v2.2/register"]
    assert isinstance(carriers["17"].track(["LP1"])["LP1"], Tracked)


def test_one_bad_number_costs_no_other_its_answer(courier: Courier, parcels: list[str], carrier: CarrierClient) -> None:
    courier.refuse("BAD")
    outcomes = carrier.track([*parcels, "BAD"])
    assert isinstance(outcomes["BAD"], Rejected)
    assert all(isinstance(outcomes[number], Tracked) for number in parcels)


def test_a_half_wrong_body_costs_only_what_is_wrong(
    courier: Courier, parcels: list[str], carrier: CarrierClient
) -> None:
    courier.feel(Mood.HALF_WRONG)
    outcomes = carrier.track(parcels)
    assert isinstance(outcomes["LP1"], Failed)
    assert isinstance(outcomes["LP2"], Tracked)
    assert isinstance(outcomes["LP3"], Tracked)
    assert len(outcomes["LP3"].events) == 3  # the nonsense between the events is left out


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        (Mood.DROP, "dropped the connection"),
        (Mood.HTML, "an HTML page"),
        (Mood.CUT, "not JSON"),
        (Mood.ERROR, "HTTP 500"),
        (Mood.FORBIDDEN, "refused our credentials"),
        (Mood.REDIRECT, "redirects elsewhere"),
        (Mood.HUGE, "larger than"),
        (Mood.EMPTY, "error None|no parcels"),
    ],
)
def test_a_bad_answer_fails_every_number_with_its_reason(
    courier: Courier, parcels: list[str], carrier: CarrierClient, mood: Mood, said: str
) -> None:
    courier.feel(mood)
    outcomes = carrier.track(parcels)
    assert list(outcomes) == parcels
    for outcome in outcomes.values():
        assert isinstance(outcome, Failed)
        assert any(part in outcome.reason for part in said.split("|")), outcome.reason
    assert len(courier.requests) == 1
    assert isinstance(carrier.track(parcels)["LP1"], Tracked), "one bad answer must not spoil the next"


@pytest.mark.parametrize(("mood", "said"), [(Mood.HANG, "did not answer in time"), (Mood.DRIP, "was still sending")])
def test_a_courier_that_takes_for_ever_is_left(
    courier: Courier, parcels: list[str], shape: str, tmp_path: Path, mood: Mood, said: str
) -> None:
    path = tmp_path / "impatient.toml"
    path.write_text(carriers_toml(courier.url, seconds=0.3), encoding="utf-8")
    clients = load_carriers(path, ENVIRONMENT)
    courier.feel(mood)
    for outcome in clients[shape].track(parcels).values():
        assert isinstance(outcome, Failed)
        assert said in outcome.reason
    close_all(clients)


@pytest.mark.parametrize("mood", [Mood.TOO_MANY, Mood.TOO_MANY_UNTIL, Mood.BUSY])
def test_a_courier_that_asks_for_patience(
    courier: Courier, parcels: list[str], carrier: CarrierClient, mood: Mood
) -> None:
    courier.feel(mood)
    outcomes = carrier.track(parcels)
    seconds = {outcome.seconds for outcome in outcomes.values() if isinstance(outcome, RetryAfter)}
    assert len(outcomes) == len(parcels)
    asked = 60 if mood is Mood.BUSY else courier.patience
    assert seconds == {asked}


def test_no_key_and_no_number_is_ever_logged(
    courier: Courier, parcels: list[str], carrier: CarrierClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    for mood in (Mood.HALF_WRONG, Mood.DROP, Mood.HTML, Mood.FORBIDDEN, Mood.REDIRECT):
        courier.feel(mood)
        for outcome in carrier.track(parcels).values():
            assert "simulated" not in str(getattr(outcome, "reason", ""))
    for record in caplog.records:
        assert "LP1" not in str(record.__dict__)
        assert "simulated" not in str(record.__dict__)


@given(st.none() | st.text(max_size=40))
def test_any_retry_after_is_a_wait_we_can_keep(header: str | None) -> None:
    assert 1 <= retry_after(header, NOW) <= LONGEST_PATIENCE


def test_retry_after_as_seconds_and_as_a_date() -> None:
    assert retry_after("17", NOW) == 17
    assert retry_after(format_datetime(NOW + timedelta(minutes=5), usegmt=True), NOW) == 300
    assert retry_after(format_datetime(NOW - timedelta(minutes=5), usegmt=True), NOW) == 1
    assert retry_after("99999999999999999999", NOW) == LONGEST_PATIENCE


def test_numbers_are_matched_as_people_write_them() -> None:
    outcomes = every(["lp 1cn", "LP2"], {"LP1CN": NotFound()})
    assert outcomes["lp 1cn"] == NotFound()
    assert isinstance(outcomes["LP2"], Failed)


def test_every_17track_status_means_something_here() -> None:
    mains = {word for word in STATUSES if "_" not in word}
    subs = {word for word in STATUSES if "_" in word} | {"InfoReceived"}
    assert (len(mains), len(subs)) == (9, 30)
    assert {STATUSES[word][0] for word in STATUSES} == set(Status)


class Canned(Fetcher):
    """A 17TRACK that answers with this."""

    def __init__(self, document: object) -> None:
        self.document = document

    def json(self, method: str, url: str, body: bytes | None = None) -> object:
        return self.document

    def close(self) -> None:
        pass


KEYS = [
    "number", "error", "code", "message", "track_info", "latest_status", "status", "sub_status", "tracking",
    "providers", "events", "time_utc", "time_iso", "time_raw", "date", "time", "timezone", "description",
]  # fmt: skip

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.lists(json_values, max_size=4), st.lists(json_values, max_size=4), json_values)
def test_no_json_breaks_the_17track_client(accepted: list[object], rejected: list[object], data: object) -> None:
    good = {"number": "A1", "track_info": {"latest_status": {"status": "InTransit"}}}
    envelope = {"code": 0, "data": {"accepted": [*accepted, good], "rejected": rejected}}
    outcomes = SeventeenTrack(Canned(json.loads(json.dumps(envelope)))).track(["A1", "B2"])
    assert set(outcomes) == {"A1", "B2"}
    assert isinstance(outcomes["A1"], Tracked)
    assert set(SeventeenTrack(Canned({"code": 0, "data": data})).track(["A1"])) == {"A1"}


def test_17track_times_fall_back_from_utc_to_local() -> None:
    def moment(**times: object) -> tuple[str, bool]:
        event = {"sub_status": "InTransit_Other", **times}
        info = {"latest_status": {"status": "InTransit"}, "tracking": {"providers": [{"events": [event]}]}}
        document = {"code": 0, "data": {"accepted": [{"number": "A1", "track_info": info}], "rejected": []}}
        outcome = SeventeenTrack(Canned(document)).track(["A1"])["A1"]
        assert isinstance(outcome, Tracked)
        return outcome.events[0].at.isoformat(), outcome.events[0].zoned

    assert moment(time_utc="2026-11-20T01:00:00Z", time_iso="x") == ("2026-11-20T01:00:00+00:00", True)
    assert moment(time_utc=None, time_iso="2026-11-20T09:00:00+08:00") == ("2026-11-20T01:00:00+00:00", True)
    raw = {"date": "2026-11-20", "time": "09:00:00", "timezone": None}
    assert moment(time_raw=raw) == ("2026-11-20T09:00:00+00:00", False)


def test_a_proxy_is_never_asked_for_this_machine(
    courier: Courier, parcels: list[str], carrier: CarrierClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    fetcher = Fetcher(courier.url, {"X-Key": "simulated"})
    assert "data" in fetcher.json("GET", f"{courier.url}/parcels?ids=LP1")
    fetcher.close()


def test_nobody_there(carriers: dict[str, CarrierClient], clock: Clock) -> None:
    with Courier(now=clock) as gone:
        url = gone.url
    fetcher = Fetcher(url, {})
    with pytest.raises(Unanswered, match="cannot be reached"):
        fetcher.json("GET", url)
    fetcher.close()


def test_all_simulated_codes_mean_the_same_in_both_shapes(courier: Courier, carriers: dict[str, CarrierClient]) -> None:
    codes = [
        "InfoReceived", "InTransit_PickedUp", "InTransit_Other", "InTransit_CustomsProcessing", "OutForDelivery_Other",
        "AvailableForPickup_Other", "DeliveryFailure_NoBody", "Exception_Delayed", "Exception_Lost",
        "Exception_Returning", "Exception_Returned", "Delivered_Other",
    ]  # fmt: skip
    numbers = []
    for index, code in enumerate(codes):
        numbers.append(f"N{index}")
        courier.script(f"N{index}", journey(NOW - timedelta(days=1), (0, code, "text", "place")))
    carriers["17"].track(numbers)
    ours = {}
    for name in ("17", "house"):
        outcomes = carriers[name].track(numbers)
        ours[name] = [outcome.status for outcome in outcomes.values() if isinstance(outcome, Tracked)]
    assert ours["17"] == ours["house"]
    assert len(ours["17"]) == len(codes)
