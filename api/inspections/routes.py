"""Addresses of inspections."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.background import BackgroundTask

from api.context import Given
from api.errors import problems
from api.fields import FileName, Identifier
from api.inspections import forms, judging, service
from api.inspections.pictures import receive
from api.inspections.schemas import InspectionAnswer, JudgedDocument, OverrideDocument
from api.paging import CursorText, Limit, Page
from api.security import Caller, Scope, require
from inspector.spec import Stage
from inspector.verdict import Decision

router = APIRouter(prefix="/v1", tags=["inspections"])
InspectionId = Annotated[Identifier, Path(description="Made by who inspects: a ULID or UUID.", examples=["01JD3W6Q"])]
Reader = Annotated[Caller, Depends(require(Scope.STATION, Scope.WAREHOUSE, Scope.SUPPORT))]
Bench = Annotated[Caller, Depends(require(Scope.STATION))]

_PICTURES = {"type": "array", "maxItems": 16, "items": {"type": "string", "format": "binary"}}
_PUT_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/InspectionDocument"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["inspection"],
                    "properties": {
                        "inspection": {"$ref": "#/components/schemas/InspectionDocument"},
                        "pictures": _PICTURES
                        | {"description": "JPEG or PNG; file name: a frame's name, or annotated-<frame's name>."},
                    },
                },
                "encoding": {"inspection": {"contentType": "application/json"}},
            },
        },
    }
}
_INSPECT_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "image/jpeg": {"schema": {"type": "string", "format": "binary"}},
            "image/png": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["pictures"],
                    "properties": {
                        "pictures": _PICTURES | {"maxItems": 8},
                        "stages": {"type": "array", "items": {"enum": ["open", "sealed"]}},
                    },
                }
            },
        },
    }
}


@router.put(
    "/inspections/{inspection:id}",
    summary="Record an inspection",
    openapi_extra=_PUT_BODY,
    responses={
        200: {"description": "It was here already"},
        201: {"model": InspectionAnswer},
        **problems(401, 403, 409, 413, 415, 422),
    },
)
def put_inspection(
    inspection: InspectionId,
    _caller: Bench,  # before the body: nobody without a key has 64 MB read and parsed
    sent: Annotated[forms.Sent, Depends(forms.sent_inspection)],
    services: Given,
    response: Response,
) -> InspectionAnswer:
    """What a bench saw, with its pictures. Once it is answered 200 or 201 it is kept for good, exactly once."""
    most = services.settings.max_picture_bytes
    pictures = [receive(name, content, most) for name, content in sent.pictures]
    kept, created = service.keep(services, inspection, sent.document, pictures)
    response.status_code = 201 if created else 200
    return kept


@router.put(
    "/inspections/{inspection:id}/override",
    summary="Release a held parcel by a person's decision",
    responses={
        200: {"description": "It was overridden just so"},
        201: {"model": InspectionAnswer},
        **problems(401, 403, 404, 409, 413, 422),
    },
)
def put_override(
    inspection: InspectionId, document: OverrideDocument, services: Given, response: Response, caller: Bench
) -> InspectionAnswer:
    """Needs a reason and two persons; goes into the audit log."""
    with services.database.writing() as session:
        row, created = service.override(session, inspection, document, caller.prefix, services.clock())
        kept = service.answer(row)
    response.status_code = 201 if created else 200
    return kept


@router.get("/inspections", summary="Inspections, newest first", responses=problems(401, 403, 422))
def list_inspections(
    services: Given,
    _caller: Reader,
    order: Annotated[Identifier | None, Query()] = None,
    verdict: Annotated[Decision | None, Query()] = None,
    cursor: CursorText = None,
    limit: Limit = 50,
) -> Page[InspectionAnswer]:
    """All, or those of one order, or those with one verdict."""
    with services.database.reading() as session:
        return service.page(session, order, verdict, cursor, limit)


@router.get("/inspections/{inspection:id}", summary="An inspection", responses=problems(401, 403, 404))
def get_inspection(inspection: InspectionId, services: Given, _caller: Reader) -> InspectionAnswer:
    """With its verdict, its override and the addresses of its pictures."""
    with services.database.reading() as session:
        return service.answer(service.find(session, inspection))


@router.get(
    "/inspections/{inspection:id}/pictures/{name:id}",
    summary="A picture of an inspection",
    response_class=Response,
    responses={
        200: {"content": {"image/jpeg": {}, "image/png": {}}, "description": "The bytes as they were sent"},
        **problems(401, 403, 404, 500),
    },
)
def get_picture(inspection: InspectionId, name: FileName, services: Given, caller: Reader) -> Response:
    """The bytes as they were sent, checked against their SHA-256. Each view goes into the audit log."""
    picture, content = service.fetch_picture(services, inspection, name, caller.prefix)
    headers = {
        "ETag": f'"{picture.sha256}"',
        "Cache-Control": "private, max-age=3600, immutable",
        "Content-Disposition": f"inline; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=picture.media_type, headers=headers)


@router.post(
    "/inspect",
    summary="Have the server judge pictures",
    openapi_extra=_INSPECT_BODY,
    response_model=JudgedDocument,
    responses={201: {"model": JudgedDocument}, **problems(401, 403, 404, 409, 413, 415, 422, 503)},
)
async def inspect(
    request: Request,
    services: Given,
    _caller: Annotated[Caller, Depends(require(Scope.STATION, Scope.WAREHOUSE))],
    order: Annotated[Identifier | None, Query(description="Judge against its packing spec, and record it.")] = None,
    stage: Annotated[Stage, Query(description="Of a raw picture, and of pictures without `stages`.")] = Stage.SEALED,
    inspection: Annotated[
        Identifier | None, Query(alias="id", description="Of the inspection to record; makes a repeat safe.")
    ] = None,
    weight_g: Annotated[
        float | None, Query(ge=0, le=1_000_000, allow_inf_nan=False, description="What the filled box weighs.")
    ] = None,
) -> Response:
    """Pictures of one parcel, judged together by the server's own eye.

    With `order` the answer is recorded as an inspection (201, or 200 when that id was recorded before); without it is
    only given (200).
    """
    shots = await forms.sent_shots(request, stage)
    eye = services.eye
    if order is None:
        answer = await to_thread.run_sync(judging.judge, services, shots, weight_g, limiter=eye.limiter)
    else:
        answer = await to_thread.run_sync(
            judging.judge_and_keep,
            services,
            shots,
            order,
            inspection or services.new_id(),
            weight_g,
            limiter=eye.limiter,
        )
    # written straight from the model: FastAPI's own way through jsonable_encoder costs more than the HTTP itself
    after = BackgroundTask(services.shadows.offer, answer.judged) if answer.judged else None
    content, status = answer.document.model_dump_json(), 201 if answer.created else 200
    return Response(content, status, media_type="application/json", background=after)
