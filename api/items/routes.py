"""Addresses of taught items."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from api.context import Given
from api.errors import Problem, problems
from api.fields import Identifier
from api.inspections import forms
from api.items import service
from api.items.schemas import (
    ConfirmDocument,
    CorrectionAnswer,
    CorrectionDocument,
    ImportAnswer,
    ItemAnswer,
    ItemDocument,
    ItemLineAnswer,
    TaughtAnswer,
)
from api.paging import CursorText, Limit, Page
from api.security import Caller, Scope, require
from inspector.spec import Stage

router = APIRouter(prefix="/v1", tags=["items"])
ItemId = Annotated[Identifier, Path(description="As orders name it, percent-encoded.", examples=["usb-cable"])]
ReferenceId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="From the item's `references`.")]
CorrectionId = Annotated[Identifier, Path(description="From the item's corrections.")]
Reader = Annotated[Caller, Depends(require(Scope.STATION, Scope.WAREHOUSE, Scope.SUPPORT))]
Teacher = Annotated[Caller, Depends(require(Scope.STATION, Scope.WAREHOUSE))]
Owner = Annotated[Caller, Depends(require(Scope.WAREHOUSE))]

_PHOTO = {"type": "string", "format": "binary"}
_PHOTOS: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "image/jpeg": {"schema": _PHOTO},
            "image/png": {"schema": _PHOTO},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["pictures"],
                    "properties": {"pictures": {"type": "array", "maxItems": 8, "items": _PHOTO}},
                }
            },
        },
    }
}
_ZIP = "application/zip"
_ARCHIVE: dict[str, Any] = {"requestBody": {"required": True, "content": {_ZIP: {"schema": _PHOTO}}}}
_JPEG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}, "description": "The picture"}}


@router.put(
    "/items/{item:id}",
    summary="Name and weigh an item",
    responses={200: {"description": "Known already"}, 201: {"model": ItemAnswer}, **problems(401, 403, 413, 422, 503)},
)
def put_item(item: ItemId, document: ItemDocument, services: Given, response: Response, caller: Owner) -> ItemAnswer:
    """Replaces name and weights; what is left out is forgotten. Its looks are taught with photos."""
    answer, created = service.describe(services, item, document, caller.name)
    response.status_code = 201 if created else 200
    return answer


@router.put(
    "/items/{item:id}/references",
    summary="Teach an item from photos",
    openapi_extra=_PHOTOS,
    response_model=TaughtAnswer,
    responses={
        200: {"description": "These photos were taught before"},
        201: {"model": TaughtAnswer},
        **problems(401, 403, 413, 415, 422, 503),
    },
)
async def put_references(
    item: ItemId,
    request: Request,
    services: Given,
    caller: Teacher,
    though_alike: Annotated[
        bool, Query(description="Keep what looks like another item too, because somebody knows that they are two.")
    ] = False,
) -> Response:
    """One photo as the body, or several as parts `pictures`; each shows the item alone on a plain ground.

    The same photo again changes nothing. A photo that would not help is refused with the check it failed (`errors`) and
    what to do; the good ones of the same request are kept (`kept`).
    """
    shots = await forms.sent_shots(request, Stage.OPEN)
    if not request.headers["content-type"].startswith("multipart/"):  # a bare body has no name of its own
        shots = [replace(shot, name=f"photo.{shot.name.rpartition('.')[2]}") for shot in shots]

    def work() -> tuple[TaughtAnswer, bool]:
        return service.teach_photos(services, item, shots, caller.name, though_alike=though_alike)

    answer, created = await to_thread.run_sync(work, limiter=services.eye.limiter)
    return Response(answer.model_dump_json(), 201 if created else 200, media_type="application/json")


@router.get("/items", summary="Taught items", responses=problems(401, 403, 422, 503))
def list_items(services: Given, _caller: Reader, cursor: CursorText = None, limit: Limit = 100) -> Page[ItemLineAnswer]:
    """In order of their ids."""
    return service.page(services, cursor, limit)


@router.get("/items/{item:id}", summary="A taught item", responses=problems(401, 403, 404, 503))
def get_item(item: ItemId, services: Given, _caller: Reader) -> ItemAnswer:
    """With the addresses of its reference pictures."""
    return service.find(services, item)


@router.delete("/items/{item:id}", status_code=204, summary="Forget an item", responses=problems(401, 403, 404, 503))
def delete_item(item: ItemId, services: Given, caller: Owner) -> None:
    """With all its references; the benches forget it with their next look. Goes into the audit log."""
    service.remove(services, item, None, caller.prefix)


@router.get(
    "/items/{item:id}/references/{reference}",
    summary="A reference picture",
    response_class=Response,
    responses={**_JPEG, **problems(401, 403, 404, 422, 503)},
)
def get_reference(item: ItemId, reference: ReferenceId, services: Given, _caller: Reader) -> Response:
    """The item as it was cut out of the photo. It never changes under its address."""
    return _picture(service.reference_picture(services, item, reference))


@router.delete(
    "/items/{item:id}/references/{reference}",
    status_code=204,
    summary="Forget a reference",
    responses=problems(401, 403, 404, 422, 503),
)
def delete_reference(item: ItemId, reference: ReferenceId, services: Given, caller: Owner) -> None:
    """The item stays, with its other references. Goes into the audit log."""
    service.remove(services, item, reference, caller.prefix)


@router.post(
    "/items/{item:id}/corrections",
    summary="Tell what the eye got wrong",
    response_model=CorrectionAnswer,
    responses={
        200: {"description": "It was told before"},
        201: {"model": CorrectionAnswer},
        **problems(401, 403, 404, 413, 422, 503),
    },
)
def post_correction(
    item: ItemId, document: CorrectionDocument, services: Given, response: Response, caller: Teacher
) -> CorrectionAnswer:
    """Either "it is there" or "that is the wrong one", with its box in a picture of an inspection.

    Nothing is learnt until a second person confirms it.
    """
    answer, created = service.propose(services, item, document, caller.prefix)
    response.status_code = 201 if created else 200
    return answer


@router.get("/items/{item:id}/corrections", summary="Corrections of an item", responses=problems(401, 403, 404, 503))
def list_corrections(item: ItemId, services: Given, _caller: Reader) -> list[CorrectionAnswer]:
    """Newest first, at most 500."""
    return service.corrections_of(services, item)


@router.get(
    "/items/{item:id}/corrections/{correction:id}/picture",
    summary="What a correction shows",
    response_class=Response,
    responses={**_JPEG, **problems(401, 403, 404, 503)},
)
def get_correction_picture(item: ItemId, correction: CorrectionId, services: Given, _caller: Reader) -> Response:
    """To look at before confirming it."""
    return _picture(service.correction_picture(services, item, correction))


@router.post(
    "/items/{item:id}/corrections/{correction:id}/confirm",
    summary="Confirm a correction",
    responses=problems(401, 403, 404, 409, 413, 422, 503),
)
def confirm_correction(
    item: ItemId, correction: CorrectionId, document: ConfirmDocument, services: Given, caller: Owner
) -> CorrectionAnswer:
    """By somebody else than who told it. From now on the item is known from it too. Goes into the audit log."""
    return service.confirm(services, item, correction, document, caller.prefix)


@router.delete(
    "/items/{item:id}/corrections/{correction:id}",
    status_code=204,
    summary="Dismiss a correction",
    responses=problems(401, 403, 404, 503),
)
def dismiss_correction(item: ItemId, correction: CorrectionId, services: Given, _caller: Owner) -> None:
    """One that waits; nothing is learnt from it."""
    service.dismiss(services, item, correction)


@router.get(
    "/gallery",
    summary="Taught items, to take along",
    response_class=Response,
    responses={
        200: {"content": {_ZIP: {}}, "description": "A zip file as `lastlook items export` writes it"},
        304: {"description": "Nothing has changed since"},
        **problems(401, 403, 422, 503),
    },
)
def get_gallery(
    services: Given,
    _caller: Teacher,
    since: Annotated[str | None, Query(max_length=100, description="`until` of the manifest before.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Items in one file, at most.")] = 100,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """What has changed behind `since`: items with their pictures, and the ids of those removed.

    While `more` in the manifest is true, ask again with its `until` as `since`. Where the manifest's `since` is null,
    it begins at the beginning. The ETag is the cursor; send it as If-None-Match to be told 304 when nothing is new.
    """
    known = (if_none_match or "").strip().removeprefix("W/").strip('"')
    content, until = service.handed_on(services, since, limit, known or None)
    headers = {"ETag": f'"{until}"', "Cache-Control": "private, no-cache"}
    if content is None:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=_ZIP, headers=headers)


@router.post(
    "/gallery",
    summary="Take over taught items",
    openapi_extra=_ARCHIVE,
    response_model=ImportAnswer,
    responses=problems(401, 403, 413, 415, 422, 503),
)
async def post_gallery(request: Request, services: Given, caller: Teacher) -> Response:
    """A zip file of `lastlook items export` or of another server. Everything in it is checked before any of it is kept;
    names and weights that are here already stay.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (_ZIP, "application/octet-stream"):
        raise Problem(415, "unsupported-media-type", "Another content type is needed", f"Send a zip file as {_ZIP}.")
    content = await request.body()
    answer = await to_thread.run_sync(service.take_over, services, content, caller.prefix, limiter=services.eye.limiter)
    return Response(answer.model_dump_json(), media_type="application/json")


def _picture(content: bytes) -> Response:
    headers = {
        "ETag": service.etag(content),
        "Cache-Control": "private, max-age=86400, immutable",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type="image/jpeg", headers=headers)
