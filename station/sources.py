"""Where pictures come from: which camera, video or folder, and how each is read."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Protocol

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from inspector.frame import FrameError, Pixels, decode

log = logging.getLogger(__name__)

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
STILL_PERIOD = 0.1
"""Seconds between two looks at the same still of a folder; a trigger needs a few of them."""


class CameraError(Exception):
    """A source that cannot be opened or read. str() says what is wrong and what to do about it."""


class _Source(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UsbCamera(_Source):
    """A camera at this computer. device: "0" or, because numbers change at every start, /dev/v4l/by-id/NAME."""

    kind: Literal["usb"] = "usb"
    device: Annotated[str, Field(min_length=1)]
    width: Annotated[int, Field(ge=160, le=8192)] = 1920
    height: Annotated[int, Field(ge=120, le=8192)] = 1080
    fps: Annotated[int, Field(ge=1, le=120)] = 15


class VideoFile(_Source):
    """A recording, played at its own speed."""

    kind: Literal["video"] = "video"
    path: Path
    loop: bool = True


class PictureFolder(_Source):
    """A folder of pictures, sorted by name: each stays until it was taken, then comes the next.

    The folder is listed again at the end of every round, so pictures that were added later are seen too.
    """

    kind: Literal["folder"] = "folder"
    path: Path
    loop: bool = True


CameraSource = Annotated[UsbCamera | VideoFile | PictureFolder, Field(discriminator="kind")]


def parse_camera(text: str) -> UsbCamera | VideoFile | PictureFolder:
    """`usb:0`, `usb:/dev/v4l/by-id/NAME`, `video:FILE` or `folder:DIR` -> its source. Raises ValueError."""
    kind, colon, rest = text.partition(":")
    if colon and rest:
        match kind:
            case "usb":
                return UsbCamera(device=rest)
            case "video":
                return VideoFile(path=Path(rest))
            case "folder":
                return PictureFolder(path=Path(rest))
    raise ValueError(f"{text!r} names no camera; write usb:0, usb:/dev/v4l/by-id/NAME, video:FILE or folder:DIR")


@dataclass(frozen=True, slots=True)
class Image:
    """What a reader read. scene: grows when the source itself jumps to another picture (folders do)."""

    bgr: Pixels
    name: str
    scene: int = 0


class Reader(Protocol):
    """An opened source."""

    period: float
    """Seconds to wait between two reads; 0 when reading itself waits for the next picture."""

    def read(self) -> Image | None:
        """The next picture, None when there will never be another. Raises CameraError when the source is lost."""

    def advance(self) -> None:
        """The current picture was taken; go on to the next if this source stands still until told so."""

    def close(self) -> None:
        """Give the device back."""


def open_source(source: UsbCamera | VideoFile | PictureFolder) -> Reader:
    """Open a source. Raises CameraError."""
    match source:
        case UsbCamera():
            return _Usb(source)
        case VideoFile():
            return _Video(source)
        case PictureFolder():
            return _Folder(source)


def as_bgr(picture: npt.NDArray[np.generic], who: str) -> Pixels:
    """Whatever a driver delivers -> uint8 (h, w, 3) blue green red.

    Cameras are asked for BGR, but some drivers forget it after a reconnect and hand out grey or four channels; the
    eye must never see the difference. Raises CameraError for layouts whose colours cannot be known.
    """
    if picture.dtype != np.uint8:
        raise CameraError(f"{who} delivers {picture.dtype} pixels; set it to an 8-bit format (MJPG or YUYV)")
    pixels = np.asarray(picture, np.uint8)
    if pixels.ndim == 3 and pixels.shape[2] == 3:
        return pixels
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR), np.uint8)
    if pixels.shape[2] == 4:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR), np.uint8)
    raise CameraError(f"{who} delivers {pixels.shape[2]} channels; set it to MJPG or YUYV")


class _Usb:
    """V4L2 through OpenCV. A vanished device is noticed as a failed read; the caller opens it again by name."""

    period = 0.0

    def __init__(self, source: UsbCamera) -> None:
        self._name = f"camera {source.device}"
        target: str | int = int(source.device) if source.device.isdigit() else os.path.realpath(source.device)
        if isinstance(target, str) and not Path(target).exists():
            raise CameraError(f"{self._name} is not plugged in")
        self._capture = cv2.VideoCapture(target, cv2.CAP_V4L2)
        if not self._capture.isOpened():
            self._capture.release()
            raise CameraError(f"{self._name} does not open; is it plugged in, and does another program use it?")
        self._capture.set(cv2.CAP_PROP_FOURCC, float(cv2.VideoWriter.fourcc(*"MJPG")))
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, source.width)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, source.height)
        self._capture.set(cv2.CAP_PROP_FPS, source.fps)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self._capture.set(cv2.CAP_PROP_CONVERT_RGB, 1)

    def read(self) -> Image | None:
        good, picture = self._capture.read()
        if not good or picture is None:
            raise CameraError(f"{self._name} stopped sending pictures; check its cable")
        return Image(as_bgr(picture, self._name), name=self._name)

    def advance(self) -> None:
        """A camera moves on by itself."""

    def close(self) -> None:
        self._capture.release()


class _Video:
    """A recording; looping starts the file again, which is a new scene."""

    def __init__(self, source: VideoFile) -> None:
        self._source = source
        self._scene = 0
        self._fresh = True
        self._open()

    def _open(self) -> None:
        path = self._source.path
        if not path.is_file():
            raise CameraError(f"no video file {path}")
        self._capture = cv2.VideoCapture(str(path))
        if not self._capture.isOpened():
            self._capture.release()
            raise CameraError(f"{path} is not a video that can be read")
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.period = 1 / rate if 1 <= rate <= 240 else 1 / 25
        self._fresh = True

    def read(self) -> Image | None:
        good, picture = self._capture.read()
        if not good:
            if self._fresh:
                raise CameraError(f"{self._source.path} holds no pictures")
            if not self._source.loop:
                return None
            self._capture.release()
            self._open()
            self._scene += 1
            return self.read()
        self._fresh = False
        return Image(as_bgr(picture, str(self._source.path)), name=self._source.path.name, scene=self._scene)

    def advance(self) -> None:
        """A recording moves on by itself."""

    def close(self) -> None:
        self._capture.release()


class _Folder:
    """Stills, one after the other, each shown until it is taken."""

    period = STILL_PERIOD

    def __init__(self, source: PictureFolder) -> None:
        self._source = source
        self._scene = 0
        self._names = self._list()
        self._at = -1
        self._current: Image | None = None
        self._move_on = True

    def _list(self) -> list[Path]:
        try:
            inside = sorted(p for p in self._source.path.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)
        except OSError as error:
            raise CameraError(f"cannot read the folder {self._source.path}: {error.strerror}") from None
        if not inside:
            raise CameraError(f"no pictures in {self._source.path}; put JPEG or PNG files there")
        return inside

    def read(self) -> Image | None:
        if self._move_on:
            self._move_on = False
            self._current = self._next()
        return self._current

    def advance(self) -> None:
        self._move_on = True

    def _next(self) -> Image | None:
        """The next usable picture. A damaged one is named in the log and passed over."""
        skipped: list[str] = []
        while len(skipped) <= len(self._names):
            self._at += 1
            if self._at >= len(self._names):
                if not self._source.loop:
                    return None
                self._names, self._at = self._list(), 0
            path = self._names[self._at]
            try:
                frame = decode(path.read_bytes(), name=path.name)
            except (OSError, FrameError) as error:
                log.warning("passed over a picture of the folder camera: %s", error)
                skipped.append(str(error))
                continue
            self._scene += 1
            return Image(frame.bgr, name=path.name, scene=self._scene)
        raise CameraError(f"no usable picture in {self._source.path}; the last one: {skipped[-1]}")

    def close(self) -> None:
        """Nothing is held open."""
