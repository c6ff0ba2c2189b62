"""A site's models: what may become active, what was done, and the way back from anything."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import models
from models import Card, Model, ModelError
from models.registry import Registry, RegistryError, State, site_in
from tests.models import fakes

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
A, B = "parcel/1.0.0+a", "parcel/1.0.0+b"


def good(_: Model[Card]) -> None:
    """Golden frames that are judged as told."""


def bad(_: Model[Card]) -> None:
    raise RuntimeError("another verdict on g1.jpg")


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    fakes.folder(tmp_path / "package", "1.0.0", comparison=None)
    return tmp_path / "package"


@pytest.fixture
def registry(tmp_path: Path, shipped: Path) -> Registry:
    return opened(tmp_path / "site", shipped)


def opened(site: Path, shipped: Path, default: str = "1.0.0") -> Registry:
    return Registry(site, who="anna", clock=lambda: START, shipped=shipped, defaults={"parcel": default})


def add(registry: Registry, ref: str, **changes: Any) -> Model[Card]:
    version = ref.partition("/")[2]
    return registry.add(fakes.files(version), fakes.card(version, **changes))


def use(registry: Registry, ref: str) -> None:
    add(registry, ref)
    registry.validate(ref, good)
    registry.activate(ref)


def version(registry: Registry) -> str:
    return registry.active("parcel").card.version


def test_a_site_without_models_of_its_own_uses_what_ships(registry: Registry) -> None:
    assert version(registry) == "1.0.0"
    (only,) = registry.listed()
    assert (only.ref, only.state, only.shipped, only.problem) == ("parcel/1.0.0", State.ACTIVE, True, None)
    assert not registry.site.exists(), "looking writes nothing"


def test_the_whole_way_of_a_model_stands_in_the_history(registry: Registry) -> None:
    add(registry, A)
    registry.validate(A, good)
    registry.start_shadow(A)
    registry.activate(A, "agreed on 300 parcels of a week")
    use(registry, B)
    assert [(e.before, e.after) for e in registry.history(A)] == [
        (None, "candidate"),
        ("candidate", "validated"),
        ("validated", "shadow"),
        ("shadow", "active"),
        ("active", "retired"),
    ]
    last = registry.history(A)[-2]
    assert (last.who, last.at, last.why) == ("anna", START, "agreed on 300 parcels of a week")
    assert {m.ref: m.state for m in registry.listed()} == {
        "parcel/1.0.0": State.RETIRED,
        A: State.RETIRED,
        B: State.ACTIVE,
    }


def test_a_folder_made_elsewhere_is_copied_with_what_its_card_tells_of(registry: Registry, tmp_path: Path) -> None:
    brought = fakes.folder(tmp_path / "stick", "1.0.0+a")
    (brought / "notes.txt").write_text("not of the model")
    model = registry.add(brought)
    shutil.rmtree(brought)
    assert registry.state(A) is State.CANDIDATE
    assert registry.get(A).sha256 == model.sha256
    assert sorted(p.name for p in model.folder.rglob("*") if p.is_file()) == [
        "card.json",
        "golden.json",
        "head.npz",
        "model.onnx",
    ]
    assert [p.name for p in registry.site.iterdir() if p.name.startswith(".adding")] == []


def test_a_folder_that_lies_in_its_place_already_is_taken_in_there(registry: Registry) -> None:
    placed = fakes.folder(registry.site, "1.0.0+a")
    with pytest.raises(RegistryError, match="lastlook models add"):
        registry.activate(A)
    assert registry.add(placed).folder == placed
    assert registry.state(A) is State.CANDIDATE


def test_the_same_model_added_twice_changes_nothing(registry: Registry) -> None:
    use(registry, A)
    add(registry, A)
    assert registry.state(A) is State.ACTIVE
    assert len(registry.history(A)) == 3


@pytest.mark.parametrize("taken", ["1.0.0", "1.0.0+a"])
def test_one_version_is_one_model_for_ever(registry: Registry, taken: str) -> None:
    add(registry, A)
    with pytest.raises(RegistryError, match="a version of its own"):
        add(registry, f"parcel/{taken}", nms_iou=0.6)
    assert registry.get(A).card.model_dump()["nms_iou"] == 0.5


@pytest.mark.parametrize("bad_version", ["", "..", "../../etc", "a/b", "a b", "-a", "v" * 65])
def test_a_version_cannot_lead_out_of_the_folder(registry: Registry, bad_version: str) -> None:
    with pytest.raises(RegistryError, match="cannot be a version"):
        registry.add(fakes.files("x"), fakes.card(bad_version))
    assert [m.ref for m in registry.listed()] == ["parcel/1.0.0"]


def test_a_file_cannot_lead_out_of_the_folder(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="no path inside"):
        registry.add({**fakes.files("x"), "../../../escaped": b"!"}, fakes.card("1.0.0+a"))
    assert not list(tmp_path.rglob("escaped"))


def test_a_folder_whose_files_were_changed_is_not_taken_in(registry: Registry, tmp_path: Path) -> None:
    brought = fakes.folder(tmp_path / "stick", "1.0.0+a")
    (brought / "head.npz").write_bytes(b"another head")
    with pytest.raises(ModelError, match=r"head\.npz is not the file"):
        registry.add(brought)
    assert [m.ref for m in registry.listed()] == ["parcel/1.0.0"]


def test_what_was_not_validated_is_neither_activated_nor_a_shadow(registry: Registry) -> None:
    add(registry, A)
    for step in (registry.activate, registry.start_shadow):
        with pytest.raises(RegistryError, match=r"not validated.*lastlook models verify"):
            step(A)
    assert version(registry) == "1.0.0"


@pytest.mark.parametrize(
    ("comparison", "golden", "told"),
    [
        (fakes.WORSE, good, r"does worse than parcel/1\.0\.0 .*AUROC 0\.91 and 0\.96"),
        (None, good, "never compared"),
        (fakes.NOT_WORSE, bad, "another verdict"),
    ],
)
def test_what_does_worse_or_is_unproven_stays_a_candidate(
    registry: Registry, comparison: dict[str, Any] | None, golden: Callable[[Model[Card]], None], told: str
) -> None:
    add(registry, A, comparison=comparison)
    with pytest.raises(RuntimeError, match=told):
        registry.validate(A, golden)
    assert registry.state(A) is State.CANDIDATE


def test_rollback_goes_back_step_by_step_to_what_ships(registry: Registry) -> None:
    use(registry, A)
    use(registry, B)
    assert registry.rollback("parcel", "too many false stops").card.version == "1.0.0+a"
    assert registry.history(A)[-1].why == "too many false stops"
    assert registry.rollback("parcel").card.version == "1.0.0"
    assert version(registry) == "1.0.0"
    with pytest.raises(RegistryError, match="no other parcel model was active here before"):
        registry.rollback("parcel")
    assert registry.state(B) is State.RETIRED
    registry.activate(B)
    assert version(registry) == "1.0.0+b", "what was good once may be used again"


def _another_head(folder: Path) -> None:
    (folder / "head.npz").write_bytes(b"another head")


def _another_threshold(folder: Path) -> None:
    told = json.loads((folder / "card.json").read_text())
    told["thresholds"]["integrity"]["fail"] = 0.99
    (folder / "card.json").write_text(json.dumps(told))


def _no_card(folder: Path) -> None:
    (folder / "card.json").write_text("")


BREAKAGES = [_another_head, _another_threshold, _no_card, shutil.rmtree]


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda b: b.__name__)
def test_a_broken_active_model_is_an_error_that_tells_the_way_back(
    registry: Registry, breakage: Callable[[Path], None]
) -> None:
    use(registry, A)
    breakage(registry.get(A).folder)
    with pytest.raises(ModelError, match=r"lastlook models rollback parcel` goes back to parcel/1\.0\.0"):
        registry.active("parcel")
    assert next(m for m in registry.listed() if m.ref == A).problem
    assert registry.rollback("parcel").card.version == "1.0.0"
    assert version(registry) == "1.0.0"


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda b: b.__name__)
def test_rollback_passes_over_what_is_broken_and_says_so(registry: Registry, breakage: Callable[[Path], None]) -> None:
    use(registry, A)
    use(registry, B)
    breakage(registry.get(A).folder)
    assert registry.rollback("parcel").card.version == "1.0.0"
    assert f"passed over {A}" in registry.history("parcel/1.0.0")[-1].why


def test_a_new_release_is_active_where_the_site_chose_nothing(tmp_path: Path, shipped: Path) -> None:
    fakes.folder(shipped, "2.0.0", comparison=None)
    assert version(opened(tmp_path / "site", shipped, "2.0.0")) == "2.0.0"


def test_a_new_release_does_not_take_the_place_of_a_sites_choice(tmp_path: Path, shipped: Path) -> None:
    use(opened(tmp_path / "site", shipped), A)
    shutil.rmtree(shipped / "parcel" / "1.0.0")
    fakes.folder(shipped, "2.0.0", comparison=None)
    after = opened(tmp_path / "site", shipped, "2.0.0")
    assert version(after) == "1.0.0+a"
    assert {m.ref: m.state for m in after.listed()} == {"parcel/2.0.0": State.VALIDATED, A: State.ACTIVE}
    assert after.rollback("parcel").card.version == "2.0.0", "what shipped then is gone; what ships now is not"


def test_a_release_that_was_chosen_and_is_gone_is_told(tmp_path: Path, shipped: Path) -> None:
    fakes.folder(shipped, "2.0.0", comparison=None)
    opened(tmp_path / "site", shipped, "2.0.0").activate("parcel/1.0.0", "the new one stops too much")
    shutil.rmtree(shipped / "parcel" / "1.0.0")
    after = opened(tmp_path / "site", shipped, "2.0.0")
    with pytest.raises(ModelError, match=r"rollback parcel` goes back to parcel/2\.0\.0"):
        after.active("parcel")
    assert after.rollback("parcel").card.version == "2.0.0"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 2}', '{"models": {"parcel/1": {"state": "best"}}}', "\xff"]
)
def test_a_registry_that_cannot_be_read_is_not_taken_for_an_empty_one(registry: Registry, text: str) -> None:
    use(registry, A)
    (registry.site / "registry.json").write_bytes(text.encode("latin-1"))
    for look in (lambda: registry.active("parcel"), registry.listed, lambda: registry.activate(A)):
        with pytest.raises(RegistryError, match=r"registry\.json cannot be read.*move it away"):
            look()
    assert (registry.site / "registry.json").read_bytes() == text.encode("latin-1")


def test_two_active_models_of_one_name_are_no_registry(registry: Registry) -> None:
    use(registry, A)
    use(registry, B)
    told = (registry.site / "registry.json").read_text().replace('"state": "retired"', '"state": "active"')
    (registry.site / "registry.json").write_text(told)
    with pytest.raises(RegistryError, match="two models of one name are active"):
        registry.active("parcel")


def test_a_folder_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="is not there; make it, or mount its disk"):
        site_in({"LASTLOOK_MODELS": str(tmp_path / "usb")})
    (tmp_path / "usb").mkdir()
    assert site_in({"LASTLOOK_MODELS": str(tmp_path / "usb"), "LASTLOOK_DATA": "/srv"}) == tmp_path / "usb"
    assert site_in({"LASTLOOK_DATA": str(tmp_path)}) == tmp_path / "models"
    with pytest.raises(RegistryError, match=r"elsewhere \(LASTLOOK_DATA\) is not there; make it, or mount its disk"):
        site_in({"LASTLOOK_DATA": str(tmp_path / "elsewhere")})
    assert site_in({}) == Path("lastlook-data/models")


def test_one_shadow_of_a_name_at_most(registry: Registry) -> None:
    for ref in (A, B):
        add(registry, ref)
        registry.validate(ref, good)
        registry.start_shadow(ref)
    assert (registry.shadows(), registry.state(A)) == ([B], State.VALIDATED)
    assert registry.standing_in(B)("parcel").card.version == "1.0.0+b"
    assert registry.stop_shadow("parcel") == B
    assert registry.shadows() == []
    for wrong in (lambda: registry.stop_shadow("parcel"), lambda: registry.start_shadow("parcel/1.0.0")):
        with pytest.raises(RegistryError):
            wrong()


def test_a_failed_write_leaves_everything_as_it_was(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    use(registry, A)
    before = (registry.site / "registry.json").read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RegistryError, match=r"No space left.*nothing was changed"):
        registry.rollback("parcel")
    assert (registry.site / "registry.json").read_bytes() == before
    assert version(registry) == "1.0.0+a"


def test_many_at_once_lose_nothing(registry: Registry) -> None:
    refs = [f"parcel/1.0.0+{n}" for n in range(8)]
    threads = [threading.Thread(target=add, args=(registry, ref)) for ref in refs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {m.ref for m in registry.listed()} == {"parcel/1.0.0", *refs}
    assert len(registry.history()) == 8


class Usage(RuleBasedStateMachine):
    """Anything that people may do, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        fakes.folder(self.root / "package", "1.0.0", comparison=None)
        self.now = START
        self.registry = Registry(
            self.root / "site",
            clock=lambda: self.now,
            shipped=self.root / "package",
            defaults={"parcel": "1.0.0"},
        )
        self.added: set[str] = set()
        self.proven: set[str] = {"parcel/1.0.0"}
        self.used = ["parcel/1.0.0"]

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    @rule(n=st.integers(0, 2), worse=st.booleans())
    def add(self, n: int, worse: bool) -> None:
        ref = f"parcel/{n}"
        if ref not in self.added:
            add(self.registry, ref, comparison=fakes.WORSE if worse else fakes.NOT_WORSE)
            self.added.add(ref)

    @rule(n=st.integers(0, 2), golden=st.sampled_from([good, bad]))
    def validate(self, n: int, golden: Callable[[Model[Card]], None]) -> None:
        try:
            self.registry.validate(f"parcel/{n}", golden)
        except RuntimeError:
            return
        self.proven.add(f"parcel/{n}")

    @rule(ref=st.sampled_from(["parcel/1.0.0", "parcel/0", "parcel/1", "parcel/2"]))
    def activate(self, ref: str) -> None:
        try:
            self.registry.activate(ref)
        except RegistryError:
            assert ref not in self.proven
            return
        assert ref in self.proven
        if self.used[-1] != ref:
            self.used.append(ref)

    @rule(ref=st.sampled_from(["parcel/1.0.0", "parcel/0", "parcel/1", "parcel/2"]))
    def shadow(self, ref: str) -> None:
        try:
            self.registry.start_shadow(ref)
        except RegistryError:
            assert ref not in self.proven or ref == self.used[-1]

    @precondition(lambda self: len(self.used) > 1)
    @rule()
    def rollback(self) -> None:
        self.used.pop()
        assert f"parcel/{self.registry.rollback('parcel').card.version}" == self.used[-1]

    @invariant()
    def one_is_active_and_it_is_the_one_that_was_chosen(self) -> None:
        states = {model.ref: model.state for model in self.registry.listed()}
        assert [ref for ref, state in states.items() if state is State.ACTIVE] == [self.used[-1]]
        assert list(states.values()).count(State.SHADOW) <= 1
        assert self.registry.active("parcel").card.version == self.used[-1].partition("/")[2]


class TestUsage(Usage.TestCase):  # type: ignore[misc, valid-type]  # hypothesis makes the class
    settings = settings(max_examples=15, stateful_step_count=15, deadline=None)


def test_time_goes_on_in_the_history(tmp_path: Path, shipped: Path) -> None:
    moments = iter(START + timedelta(hours=n) for n in range(9))
    registry = Registry(tmp_path / "site", clock=lambda: next(moments), shipped=shipped, defaults={"parcel": "1.0.0"})
    use(registry, A)
    times = [event.at for event in registry.history()]
    assert times == sorted(times)
    assert len(set(times)) == 4


def test_a_card_in_the_folder_of_another_version_is_refused(tmp_path: Path) -> None:
    made = fakes.folder(tmp_path, "1.0.0")
    made.rename(tmp_path / "parcel" / "2.0.0")
    with pytest.raises(ModelError, match=r"is that of parcel/1\.0\.0"):
        models.load("parcel", "2.0.0", tmp_path)
