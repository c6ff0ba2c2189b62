"""When the picture is taken: once per parcel, at rest, in focus."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.frame import Pixels
from station.camera import Shot
from station.sources import VideoFile, open_source
from station.trigger import Look, Rules, Scene, Trigger, Watch, cut, rearm, step, take
from tests.station import scenes
from tests.station.benchside import START

RULES = Rules()


def watch_over(pictures: Iterable[tuple[str, Pixels]], trigger: Trigger | None = None) -> list[tuple[str, int]]:
    """What happened in the picture that was taken, and its number, for every picture taken."""
    trigger = trigger or Trigger()
    taken, happened = [], {}
    for seq, (what, bgr) in enumerate(pictures, 1):
        happened[seq] = what
        trigger.see(Shot(seq, bgr, "test", START, 0.0))
        if trigger.ready:
            shot = trigger.take()
            assert shot is not None
            taken.append((happened[shot.seq], shot.seq))
    return taken


def test_a_parcel_is_taken_once_while_it_rests() -> None:
    taken = watch_over(scenes.visit())
    assert [what for what, _ in taken] == ["resting"]


def test_every_parcel_of_a_shift_is_taken_once() -> None:
    visits = itertools.chain.from_iterable(scenes.visit(seed=n) for n in range(4))
    assert [what for what, _ in watch_over(visits)] == ["resting"] * 4


def test_a_lens_that_still_focuses_is_waited_for() -> None:
    visits = itertools.chain(scenes.visit(), scenes.visit(blurred=8, resting=24, seed=1))
    assert [what for what, _ in watch_over(visits)] == ["resting", "resting"]


def test_a_lens_that_never_focuses_does_not_stop_the_bench() -> None:
    visits = itertools.chain(scenes.visit(), scenes.visit(blurred=40, resting=40, seed=1))
    assert [what for what, _ in watch_over(visits)] == ["resting", "focusing"]


def test_a_change_of_light_is_no_parcel() -> None:
    rng = np.random.default_rng(3)
    bench = scenes.wood()
    lamp = [("bright", scenes.noisy(bench, rng, 1.0 + 0.02 * min(i, 10))) for i in range(30)]
    assert watch_over(lamp) == []


def test_a_hand_that_only_passes_is_no_parcel() -> None:
    rng = np.random.default_rng(4)
    passing = []
    for i in range(40):
        scene = scenes.wood()
        if 10 <= i < 25:
            scenes.hand(scene, 600 - 30 * (i - 10), 120)
        passing.append(("hand" if 10 <= i < 25 else "empty", scenes.noisy(scene, rng)))
    assert watch_over(passing) == []


def test_a_parcel_that_lay_there_at_the_start_is_put_right_by_the_eye() -> None:
    """The first picture is taken for the empty bench; without the eye's word an empty bench would be a parcel."""
    trigger = Trigger()
    story = list(scenes.visit())[20:]
    taken = watch_over(story, trigger)
    assert [what for what, _ in taken] == ["empty"]
    trigger.learn_empty()
    assert [what for what, _ in watch_over(scenes.visit(seed=2), trigger)] == ["resting"]


def test_after_a_bad_picture_it_is_taken_again_only_when_something_moved() -> None:
    story = [(what, bgr) for what, bgr in scenes.visit(resting=60) if what != "leaving"][:-8]
    trigger = Trigger()
    seen = iter(enumerate(story, 1))
    for seq, (_, bgr) in seen:
        trigger.see(Shot(seq, bgr, "test", START, 0.0))
        if trigger.ready:
            trigger.take()
            trigger.rearm()
            break
    for seq, (_, bgr) in seen:
        trigger.see(Shot(seq, bgr, "test", START, 0.0))
        assert not trigger.ready
    moved = [bgr for what, bgr in scenes.visit(resting=20) if what in ("moving", "resting")]
    ready = []
    for seq, bgr in enumerate(moved, 1000):
        trigger.see(Shot(seq, bgr, "test", START, 0.0))
        ready.append(trigger.ready)
    assert any(ready)


def test_stills_of_a_folder_are_parcels_one_by_one() -> None:
    trigger = Trigger()
    taken = []
    seq = 0
    for scene, shade in enumerate((100, 200, 60), 1):
        for _ in range(12):
            seq += 1
            picture = np.full((120, 160, 3), shade, np.uint8)
            picture[30:60, 30:90] = 255 - shade
            trigger.see(Shot(seq, picture, "test", START, 0.0, scene), cuts=True)
            if trigger.ready:
                trigger.take()
                taken.append(scene)
    assert taken == [1, 2, 3]


def test_it_works_on_a_video_file_as_a_camera_would_deliver_it(tmp_path: Path) -> None:
    path = tmp_path / "bench.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 15.0, (scenes.WIDTH, scenes.HEIGHT))
    story = [*scenes.visit(), *scenes.visit(seed=5)]
    for _, bgr in story:
        writer.write(bgr)
    writer.release()
    reader = open_source(VideoFile(path=path, loop=False))
    pictures = []
    while image := reader.read():
        pictures.append(image.bgr)
    reader.close()
    assert len(pictures) == len(story)
    assert [what for what, _ in watch_over(zip([w for w, _ in story], pictures, strict=True))] == ["resting"] * 2


looks = st.builds(
    Look,
    seq=st.just(0),
    motion=st.sampled_from([0.0, 0.003, 0.01, 0.5]),
    presence=st.sampled_from([0.0, 0.01, 0.05, 0.9]),
    sharpness=st.floats(0, 1000),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(looks, max_size=80))
def test_between_two_pictures_the_bench_was_empty_and_what_is_taken_rested(story: list[Look]) -> None:
    watch, was_empty = Watch(), True
    numbered = [replace(look, seq=seq) for seq, look in enumerate(story, 1)]
    for look in numbered:
        watch = step(watch, look, RULES)
        was_empty = was_empty or watch.scene is Scene.EMPTY
        assert len(watch.candidates) <= RULES.settle
        if watch.ready(RULES):
            best = watch.best
            assert best is not None
            window = [one for one in numbered if one.seq in {seq for seq, _ in watch.candidates}]
            assert all(one.motion <= RULES.still and one.presence >= RULES.covered for one in window)
            assert numbered[best - 1].sharpness == max(one.sharpness for one in window)
            assert was_empty
            watch, was_empty = take(watch), False


@given(st.lists(looks, max_size=40), st.sampled_from(["take", "rearm", "cut"]))
def test_nothing_is_ready_right_after_take_rearm_or_cut(story: list[Look], what: str) -> None:
    watch = Watch()
    for look in story:
        watch = step(watch, look, RULES)
    watch = {"take": take, "rearm": rearm, "cut": cut}[what](watch)
    assert not watch.ready(RULES)
    assert watch.best is None


@pytest.mark.parametrize("shape", [(1080, 1920), (480, 640), (64, 2000)])
def test_any_picture_shape_can_be_watched(shape: tuple[int, int]) -> None:
    trigger = Trigger()
    for seq in range(1, 4):
        assert trigger.see(Shot(seq, np.zeros((*shape, 3), np.uint8), "t", START, 0.0)) is Scene.EMPTY
