"""The kiosk's small server: one page, one WebSocket that shows, and a few calls that change something."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import cv2
from fastapi import FastAPI, HTTPException, Response, WebSocket, WebSocketDisconnect
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from inspector.annotate import encode_jpeg
from inspector.corrections import Kind
from inspector.gallery import GalleryError
from inspector.verdict import Box
from station.approval import ApprovalError
from station.bench import NotNowError, ReasonError
from station.camera import Shot
from station.contents import CorrectionError, Expected
from station.kiosk.guard import Guard
from station.kiosk.view import view
from station.running import CameraNotReadyError, Station
from station.scale import WeightError
from station.spool import SpoolError

WEB = Path(__file__).parent / "web"
LIVE_WIDTH, LIVE_QUALITY = 960, 72
STATE_EVERY = 0.1
"""Seconds between two looks whether there is something new to tell the page."""


Pixel = Annotated[float, Field(ge=-100_000, le=100_000, allow_inf_nan=False)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Scanned(_Body):
    """What the scanner or the keyboard delivered."""

    text: Annotated[str, Field(max_length=1000)]


class OverrideAsked(_Body):
    """A second person's decision."""

    reason: Annotated[str, Field(max_length=2000)]
    approver: Annotated[str, Field(max_length=200)]
    pin: Annotated[str, Field(max_length=32)]


class OperatorChosen(_Body):
    """Who is packing."""

    name: Annotated[str, Field(min_length=1, max_length=200)]


class Correction(_Body):
    """What an item is, or is not, in a picture of this moment; confirmed by a second person."""

    turn: int
    item: Annotated[str, Field(min_length=1, max_length=200)]
    kind: Kind
    frame: Annotated[int, Field(ge=0, le=100)]
    box: tuple[Pixel, Pixel, Pixel, Pixel]
    approver: Annotated[str, Field(max_length=200)]
    pin: Annotated[str, Field(max_length=32)]


class Weighed(_Body):
    """What the open, filled box weighs, without carton and filling."""

    weight_g: Annotated[float, Field(strict=True)]


class Typing(_Body):
    """Whether somebody is typing a weight."""

    now: bool


class Marked(_Body):
    """Which verdict was wrong."""

    inspection: str


def kiosk_app(station: Station, token: str | None = None) -> FastAPI:
    """The app for a started station. token: of this start; made here when not given."""
    token = token or secrets.token_urlsafe(32)
    app = FastAPI(title="Lastlook kiosk", openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(Guard, token=token)
    page = (WEB / "index.html").read_text(encoding="utf-8").replace("{{token}}", token)

    @app.get("/", response_class=HTMLResponse)
    def index() -> str:
        return page

    @app.get("/judged/{turn}/{index}.jpg")
    def judged(turn: int, index: int) -> Response:  # the turn makes each address new, so that nothing old is shown
        pictures = station.bench.moment.pictures
        if not 0 <= index < len(pictures):
            raise HTTPException(404, "no such picture any more")
        return Response(pictures[index].jpeg, media_type="image/jpeg")

    @app.get("/contents")
    def contents() -> list[Expected]:
        return station.contents.expected()

    @app.get("/reference")
    def reference(item: str, id: str) -> Response:  # noqa: A002, RUF100 -- as the page calls it
        picture = station.contents.picture(item, id)
        if picture is None:
            raise HTTPException(404, "no such reference any more")
        return Response(picture, media_type="image/jpeg")

    @app.get("/things/{turn}/{index}")
    def things(turn: int, index: int) -> list[Box]:
        return station.contents.things(turn, index)

    _changes(app, station)

    @app.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        await _show(socket, station)

    app.mount("/", StaticFiles(directory=WEB))
    return app


def _changes(app: FastAPI, station: Station) -> None:
    """The calls that change something; all sync, so they run in the thread pool."""

    @app.post("/api/scan", status_code=204)
    def scan(asked: Scanned) -> None:
        station.scan(asked.text)

    @app.post("/api/take", status_code=204)
    def take() -> None:
        station.take()

    @app.post("/api/go-on", status_code=204)
    def go_on() -> None:
        station.bench.go_on()

    @app.post("/api/clear", status_code=204)
    def clear() -> None:
        station.bench.clear()

    @app.post("/api/override", status_code=204)
    def override(asked: OverrideAsked) -> None:
        station.bench.override(reason=asked.reason, approver=asked.approver, pin=asked.pin)

    @app.post("/api/operator", status_code=204)
    def operator(chosen: OperatorChosen) -> None:
        if chosen.name not in station.settings.operators:
            raise HTTPException(422, "not one of this bench's packers")
        station.bench.operator = chosen.name

    @app.post("/api/wrong", status_code=204)
    def wrong(marked: Marked) -> None:
        station.mark_wrong(marked.inspection)

    @app.post("/api/correct", status_code=204)
    def correct(asked: Correction) -> None:
        station.contents.correct(**dict(asked))

    @app.put("/weight", status_code=204)  # for a scale's program on this computer; see the guard
    @app.post("/api/weigh", status_code=204)
    def weigh(weighed: Weighed) -> None:
        station.bench.weigh(weighed.weight_g)

    @app.post("/api/typing", status_code=204)
    def typing(asked: Typing) -> None:
        station.typing(now=asked.now)

    @app.post("/api/retry", status_code=204)
    def retry() -> None:
        station.retry()

    def refuse(status: int, code: Callable[[Exception], str]) -> Callable[[Request, Exception], JSONResponse]:
        def answer(_: Request, error: Exception) -> JSONResponse:
            wait = getattr(error, "wait", 0.0)
            return JSONResponse({"code": code(error), "text": str(error), "wait": wait}, status)

        return answer

    @app.exception_handler(RequestValidationError)
    def misread(_: Request, error: RequestValidationError) -> JSONResponse:
        # without what was sent, as FastAPI's own answer has it: a NaN in there cannot be written as JSON
        text = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        return JSONResponse({"code": "failed", "text": text, "wait": 0.0}, 422)

    app.add_exception_handler(NotNowError, refuse(409, lambda _: "not_now"))
    app.add_exception_handler(CameraNotReadyError, refuse(409, lambda _: "camera"))
    app.add_exception_handler(ApprovalError, refuse(403, lambda e: getattr(e, "code", "refused")))
    app.add_exception_handler(CorrectionError, refuse(422, lambda e: f"view_{getattr(e, 'code', 'failed')}"))
    app.add_exception_handler(WeightError, refuse(422, lambda _: "weight"))
    app.add_exception_handler(GalleryError, refuse(507, lambda _: "gallery"))
    app.add_exception_handler(SpoolError, refuse(507, lambda e: f"spool_{getattr(e, 'code', 'failed')}"))
    app.add_exception_handler(OSError, refuse(507, lambda _: "disk"))
    app.add_exception_handler(ReasonError, refuse(422, lambda _: "reason"))


async def _show(socket: WebSocket, station: Station) -> None:
    """Tell the page every change as text, and send a picture each time it asks for one: never more than it can draw."""
    wanted = asyncio.Event()

    async def listen() -> None:
        while True:
            await socket.receive_text()
            wanted.set()

    listener = asyncio.create_task(listen())
    told, seen = "", 0
    try:
        while not listener.done():
            now = json.dumps(await asyncio.to_thread(view, station), ensure_ascii=False)
            if now != told:
                told = now
                await socket.send_text(now)
            shot = station.capture.newest(after=seen) if wanted.is_set() else None
            if shot is not None:
                wanted.clear()
                seen = shot.seq
                await socket.send_bytes(await asyncio.to_thread(_small, shot))
            await asyncio.wait({listener}, timeout=STATE_EVERY)
    except (WebSocketDisconnect, RuntimeError):
        pass  # the page was closed or reloaded while something was being sent
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


def _small(shot: Shot) -> bytes:
    height, width = shot.bgr.shape[:2]
    scale = min(1.0, LIVE_WIDTH / width)
    small = cv2.resize(shot.bgr, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    return encode_jpeg(small, LIVE_QUALITY)  # type: ignore[arg-type]  # uint8 stays uint8
