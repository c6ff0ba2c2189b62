"""Bytes that nobody vouches for become pixels with a fixed meaning, or a named error."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inspector.frame import FrameError, Limits, decode

RED_GREEN = np.zeros((80, 120, 3), np.uint8)
RED_GREEN[:, :60] = (0, 0, 255)
RED_GREEN[:, 60:] = (0, 255, 0)


def _file(picture: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def _rgb() -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(RED_GREEN[:, :, ::-1]))


def _bomb() -> bytes:
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("parcel.txt", "not a picture")
    return buffer.getvalue()


def _jpeg(side: int = 400) -> bytes:
    noise = np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)
    return cv2.imencode(".jpg", noise)[1].tobytes()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (_jpeg()[:20_000], "truncated"),
        (_jpeg()[:300], "damaged"),
        (_bomb(), "pixels"),
        (_zip(), "not a picture"),
        (b"%PDF-1.7 hello", "not a picture"),
        (_file(Image.new("RGB", (20, 400)), "PNG"), "too small"),
        (b"\xff\xd8\xff\xe0" + bytes(50), ""),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(data: bytes, said: str) -> None:
    with pytest.raises(FrameError) as refused:
        decode(data, name="包裹 7.jpg")
    assert str(refused.value).startswith("包裹 7.jpg: ")
    assert said in refused.value.reason


def test_a_file_over_the_byte_limit_is_not_even_opened() -> None:
    with pytest.raises(FrameError, match="limit of 1,000"):
        decode(_jpeg(), name="a.jpg", limits=Limits(bytes=1_000))


def test_a_bomb_costs_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("the pixels were decoded"))
    with pytest.raises(FrameError, match="more than 50,000,000 pixels"):
        decode(_bomb(), name="bomb.png")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_every_format_gives_the_same_colour_order(form: str) -> None:
    bgr = decode(_file(_rgb(), form), name="a").bgr
    assert bgr.dtype == np.uint8
    assert bgr.shape == (80, 120, 3)
    assert np.allclose(bgr[40, 20], (0, 0, 255), atol=30)
    assert np.allclose(bgr[40, 100], (0, 255, 0), atol=30)


@pytest.mark.parametrize("form", ["JPEG", "TIFF", "PNG"])
def test_exif_orientation_is_applied_by_both_decoders(form: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise for viewing
    bgr = decode(_file(_rgb(), form, exif=exif), name="a").bgr
    assert bgr.shape == (120, 80, 3)
    assert np.allclose(bgr[20, 40], (0, 0, 255), atol=30), "the red left half is now on top"


@pytest.mark.parametrize("mode", ["CMYK", "L", "LA", "RGBA", "P", "I;16", "1", "F"])
def test_unusual_modes_are_read_as_people_see_them(mode: str) -> None:
    if mode == "I;16":
        picture = Image.fromarray(np.full((80, 80), 0x8000, np.uint16))
    elif mode == "F":
        picture = Image.fromarray(np.linspace(0, 1, 6400, dtype=np.float32).reshape(80, 80))
    elif mode == "P":
        picture = Image.new("RGB", (80, 80), (128, 128, 128)).quantize()
    else:
        picture = Image.new("RGB", (80, 80), (128, 128, 128)).convert(mode)
    form = "JPEG" if mode in ("CMYK", "L") else "TIFF" if mode in ("F", "LA", "P") else "PNG"
    bgr = decode(_file(picture, form), name="a").bgr
    assert bgr.shape == (80, 80, 3)
    if mode not in ("1", "F"):
        assert np.allclose(bgr, 128, atol=6)


def test_transparency_is_laid_on_white() -> None:
    clear = Image.new("RGBA", (80, 80), (0, 0, 0, 0))
    assert (decode(_file(clear, "PNG"), name="a").bgr == 255).all()


@settings(max_examples=200, deadline=None)
@given(cut=st.integers(0, 8_000), junk=st.binary(max_size=40), at=st.integers(0, 8_000))
def test_no_damage_to_a_file_raises_anything_but_a_frame_error(cut: int, junk: bytes, at: int) -> None:
    for original in (_jpeg(96), _file(_rgb(), "PNG"), _file(_rgb(), "WEBP"), _file(_rgb(), "TIFF")):
        damaged = bytearray(original[: max(len(original) - cut, 0)])
        damaged[at : at + len(junk)] = junk
        try:
            frame = decode(bytes(damaged), name="a")
        except FrameError as error:
            assert error.reason
        else:
            assert frame.bgr.ndim == 3
            assert frame.bgr.dtype == np.uint8
