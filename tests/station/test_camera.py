"""One capture thread: newest picture only, lost cameras come back, colours stay."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.frame import Pixels
from station.camera import BACK_OFF, STALE_AFTER, CameraState, Capture
from station.sources import (
    CameraError,
    Image,
    PictureFolder,
    Reader,
    UsbCamera,
    VideoFile,
    as_bgr,
    open_source,
    parse_camera,
)
from tests.station.benchside import Clock

BLUE: Pixels = np.full((80, 80, 3), (255, 0, 0), np.uint8)


class Film:
    """A reader that plays what the test wrote: pictures, None for the end, an error for a loss."""

    period = 0.1

    def __init__(self, story: Iterable[Pixels | CameraError | None]) -> None:
        self.story = iter(story)
        self.advanced = 0
        self.closed = False

    def read(self) -> Image | None:
        now = next(self.story)
        if isinstance(now, CameraError):
            raise now
        return None if now is None else Image(now, "film")

    def advance(self) -> None:
        self.advanced += 1

    def close(self) -> None:
        self.closed = True


class Rig:
    """A capture whose waits do not wait; `stop_after` waits it is told to stop."""

    def __init__(self, films: Iterable[Film | CameraError], stop_after: int = 100) -> None:
        self.clock = Clock()
        self.waits: list[float] = []
        self.stop_after = stop_after
        self.films = iter(films)
        self.during: Callable[[], None] = lambda: None
        self.capture = Capture(self.open, clock=self.clock, monotonic=self.clock.monotonic, wait=self.wait)

    def open(self) -> Reader:
        film = next(self.films)
        if isinstance(film, CameraError):
            raise film
        return film

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.clock.pass_by(seconds)
        self.during()
        return len(self.waits) >= self.stop_after


def test_only_the_newest_picture_is_kept() -> None:
    rig = Rig([Film([BLUE, BLUE * 0, BLUE])], stop_after=3)
    rig.capture.run()
    shot = rig.capture.newest()
    assert shot is not None
    assert (shot.seq, rig.capture.newest(after=3)) == (3, None)
    assert rig.capture.status.state is CameraState.LIVE


def test_a_lost_camera_is_opened_again_ever_more_patiently_and_comes_back() -> None:
    gone = CameraError("camera 0 is not plugged in")
    rig = Rig([Film([BLUE, CameraError("stopped")]), *[gone] * 6, Film([BLUE, BLUE])], stop_after=10)
    states = []
    rig.during = lambda: states.append(rig.capture.status)
    rig.capture.run()
    assert rig.waits[1:8] == [0.5, *BACK_OFF[1:], BACK_OFF[-1], BACK_OFF[-1]]
    live, lost = CameraState.LIVE, CameraState.LOST
    assert [s.state for s in states[:10]] == [live, *[lost] * 7, live, live]
    assert len({s.since for s in states[1:8]}) == 1, "lost since when it was lost, not since the last attempt"
    assert states[1].reason == "stopped"
    assert states[2].reason == "camera 0 is not plugged in"
    shot = rig.capture.newest()
    assert shot is not None
    assert shot.seq == 3, "numbers go on across a reopen"


def test_while_the_camera_is_lost_no_old_picture_is_handed_out() -> None:
    rig = Rig([Film([BLUE, CameraError("gone")])], stop_after=2)
    rig.capture.run()
    assert rig.capture.newest() is None


def test_a_driver_that_hangs_is_a_lost_camera_too() -> None:
    rig = Rig([Film([BLUE, BLUE])], stop_after=2)
    rig.capture.run()
    assert rig.capture.newest() is not None
    rig.clock.pass_by(STALE_AFTER + 0.5)
    assert rig.capture.status.state is CameraState.LOST
    assert "no picture for" in (rig.capture.status.reason or "")
    assert rig.capture.newest() is None


def test_the_end_of_a_recording_is_an_end_not_a_loss() -> None:
    film = Film([BLUE, None])
    rig = Rig([film])
    rig.capture.run()
    assert rig.capture.status.state is CameraState.ENDED
    assert film.closed


def test_taking_moves_a_folder_on() -> None:
    film = Film([BLUE] * 5)
    rig = Rig([film], stop_after=4)
    rig.during = lambda: rig.capture.taken() if len(rig.waits) == 2 else None
    rig.capture.run()
    assert film.advanced == 1


def test_a_thread_really_starts_and_stops(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), BLUE)
    capture = Capture(lambda: open_source(PictureFolder(path=tmp_path)))
    capture.start()
    shot = capture.newest(timeout=10)
    capture.stop()
    assert shot is not None
    assert (shot.bgr[0, 0] == (255, 0, 0)).all()


def test_a_folder_is_shown_in_the_order_of_its_names_again_and_again(tmp_path: Path) -> None:
    for name, shade in (("b 箱子.png", 2), ("a-Größe.jpg", 1), ("notes.txt", 0), ("c.PNG", 3)):
        picture = np.full((70, 70, 3), shade * 60, np.uint8)
        (tmp_path / name).write_bytes(cv2.imencode(".png", picture)[1].tobytes() if shade else b"text")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no")
    reader = open_source(PictureFolder(path=tmp_path))
    shown, scenes = [], []
    for _ in range(5):
        reader.read()
        image = reader.read()
        assert image is not None
        shown.append(image.name)
        scenes.append(image.scene)
        reader.advance()
    assert shown == ["a-Größe.jpg", "b 箱子.png", "c.PNG", "a-Größe.jpg", "b 箱子.png"]
    assert scenes == [1, 2, 3, 4, 5]


def test_a_folder_that_does_not_loop_ends(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(cv2.imencode(".png", BLUE)[1].tobytes())
    reader = open_source(PictureFolder(path=tmp_path, loop=False))
    assert reader.read() is not None
    reader.advance()
    assert reader.read() is None


def test_a_folder_without_a_usable_picture_says_so(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="no pictures"):
        open_source(PictureFolder(path=tmp_path))
    (tmp_path / "a.jpg").write_bytes(b"")
    reader = open_source(PictureFolder(path=tmp_path))
    with pytest.raises(CameraError, match=r"a\.jpg"):
        reader.read()
    with pytest.raises(CameraError, match="nowhere"):
        open_source(PictureFolder(path=tmp_path / "nowhere"))


def film_file(path: Path, colours: list[tuple[int, int, int]]) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (96, 80))
    for colour in colours:
        writer.write(np.full((80, 96, 3), colour, np.uint8))
    writer.release()


def test_a_video_loops_and_keeps_blue_blue_across_the_reopen(tmp_path: Path) -> None:
    path = tmp_path / "clip 视频.avi"
    film_file(path, [(250, 5, 5), (5, 5, 250)])
    reader = open_source(VideoFile(path=path))
    seen = []
    for _ in range(4):
        image = reader.read()
        assert image is not None
        seen.append((int(image.bgr[40, 40].argmax()), image.scene))
    reader.close()
    assert seen == [(0, 0), (2, 0), (0, 1), (2, 1)]
    assert reader.period == pytest.approx(1 / 25)


def test_a_video_that_is_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.avi").write_bytes(b"zip?" * 100)
    with pytest.raises(CameraError, match="not a video"):
        open_source(VideoFile(path=tmp_path / "x.avi"))
    with pytest.raises(CameraError, match="no video file"):
        open_source(VideoFile(path=tmp_path / "y.avi"))


def test_a_camera_that_is_not_plugged_in_says_so() -> None:
    with pytest.raises(CameraError, match="not plugged in"):
        open_source(UsbCamera(device="/dev/v4l/by-id/usb-Nobody_Has_This-index0"))


def test_whatever_a_driver_delivers_after_a_reconnect_the_eye_sees_bgr() -> None:
    grey = np.full((80, 80), 77, np.uint8)
    assert as_bgr(grey, "cam").shape == (80, 80, 3)
    assert as_bgr(grey[..., None], "cam").shape == (80, 80, 3)
    four = np.dstack([BLUE, np.full((80, 80), 9, np.uint8)])
    assert (as_bgr(four, "cam") == BLUE).all()
    assert as_bgr(BLUE, "cam") is BLUE
    with pytest.raises(CameraError, match="2 channels"):
        as_bgr(four[..., :2], "cam")
    with pytest.raises(CameraError, match="uint16"):
        as_bgr(grey.astype(np.uint16), "cam")


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("usb:0", UsbCamera(device="0")),
        ("usb:/dev/v4l/by-id/usb-Cam:1", UsbCamera(device="/dev/v4l/by-id/usb-Cam:1")),
        ("video:a b.mp4", VideoFile(path=Path("a b.mp4"))),
        ("folder:图片", PictureFolder(path=Path("图片"))),
    ],
)
def test_cameras_are_named_by_kind_and_place(text: str, source: object) -> None:
    assert parse_camera(text) == source


@given(st.text(max_size=30))
def test_any_other_text_is_refused_with_an_example(text: str) -> None:
    try:
        source = parse_camera(text)
    except ValueError as error:
        assert "usb:0" in str(error)
    else:
        assert text.partition(":")[0] == source.kind
