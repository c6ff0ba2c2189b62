"""Request bodies that FastAPI's declarations cannot say: JSON or multipart, raw picture or several."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from api.errors import Problem, invalid, of_validation
from api.inspections.schemas import MOST_FRAMES, InspectionDocument
from inspector.spec import Stage

_MOST_PICTURES = 2 * MOST_FRAMES
"""Each frame as it was taken and once more with the findings drawn on it."""
_MOST_JSON = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """What came with PUT /v1/inspections/{id}. pictures: file name and bytes, not looked at yet."""

    document: InspectionDocument
    pictures: list[tuple[str | None, bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture to judge, not yet decoded."""

    name: str
    content: bytes
    stage: Stage


async def sent_inspection(request: Request) -> Sent:
    """JSON alone, or multipart with the part `inspection` and parts `pictures`. Raises a Problem."""
    kind = _media_type(request)
    if kind == "application/json":
        return Sent(_document(await request.body(), ()))
    if kind != "multipart/form-data":
        raise _unsupported("application/json, or multipart/form-data with the part `inspection` and parts `pictures`")
    async with _Form(request) as form:
        _only(form, {"inspection", "pictures"})
        parts = form.getlist("inspection")
        if len(parts) != 1:
            raise invalid("There must be one part `inspection` with the JSON.", pointer="/inspection")
        part = parts[0]
        text = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else await part.read(_MOST_JSON + 1)
        if len(text) > _MOST_JSON:
            raise invalid(f"The part `inspection` has more than {_MOST_JSON} bytes.", pointer="/inspection", status=413)
        document = _document(text, ("inspection",))
        pictures = [(upload.filename, await upload.read()) for upload in _files(form, "pictures")]
    return Sent(document, pictures)


async def sent_shots(request: Request, stage: Stage) -> list[Shot]:
    """The body as one picture of `stage`, or multipart `pictures` with one `stages` each (or none: all are `stage`).

    Raises a Problem; says nothing yet about the pictures themselves.
    """
    kind = _media_type(request)
    if kind.startswith("image/") or kind == "application/octet-stream":
        return [Shot(f"{stage}.{'png' if kind == 'image/png' else 'jpg'}", await request.body(), stage)]
    if kind != "multipart/form-data":
        raise _unsupported("the picture itself as image/jpeg, or multipart/form-data with parts `pictures`")
    async with _Form(request) as form:
        _only(form, {"pictures", "stages"})
        uploads = _files(form, "pictures")
        if not 1 <= len(uploads) <= MOST_FRAMES:
            raise invalid(f"Send 1 to {MOST_FRAMES} pictures of one parcel.", pointer="/pictures")
        stages = _stages(form, len(uploads), stage)
        return [
            Shot(upload.filename or f"{at}-{stage}.jpg", await upload.read(), stage)
            for at, (upload, stage) in enumerate(zip(uploads, stages, strict=True))
        ]


class _Form:
    """The parsed form, its temporary files closed at the end; what the parser dislikes becomes a Problem."""

    def __init__(self, request: Request) -> None:
        self._form = request.form(max_files=_MOST_PICTURES + 1, max_fields=MOST_FRAMES + 2, max_part_size=_MOST_JSON)

    async def __aenter__(self) -> FormData:
        try:
            return await self._form.__aenter__()
        except HTTPException as error:
            raise invalid(f"The form cannot be read: {error.detail}", status=error.status_code) from error

    async def __aexit__(self, *exception: Any) -> None:
        await self._form.__aexit__(*exception)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _document(text: bytes, where: tuple[str, ...]) -> InspectionDocument:
    try:
        return InspectionDocument.model_validate_json(text)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        raise of_validation([{**one, "loc": (*where, *one["loc"])} for one in found]) from error


def _only(form: FormData, known: set[str]) -> None:
    for name in form:
        if name not in known:
            raise invalid(f"There is an unknown part {name!r}; known parts: {', '.join(sorted(known))}.")


def _files(form: FormData, name: str) -> list[UploadFile]:
    parts = form.getlist(name)
    files = [part for part in parts if isinstance(part, UploadFile)]
    if len(files) != len(parts):
        raise invalid(f"Each part `{name}` must be a file with a file name.", pointer=f"/{name}")
    return files


def _stages(form: FormData, count: int, default: Stage) -> list[Stage]:
    given = form.getlist("stages")
    if not given:
        return [default] * count
    if len(given) != count:
        raise invalid(f"There are {count} pictures but {len(given)} stages; send one each.", pointer="/stages")
    try:
        return [Stage(str(stage)) for stage in given]
    except ValueError as error:
        raise invalid("A stage is `open` or `sealed`.", pointer="/stages") from error


def _unsupported(wanted: str) -> Problem:
    return Problem(415, "unsupported-media-type", "Another content type is needed", f"Send {wanted}.")
