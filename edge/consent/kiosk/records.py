"""What is on record about a shopper: the history to read, and the same as files to take home, signed where they prove."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from edge.consent.act import acts_of
from edge.consent.jsonld import record_as_jsonld
from edge.consent.kiosk.desk import Desk
from edge.consent.kiosk.forms import PlainForm, ReceiptForm
from edge.consent.kiosk.presenting import history_lines
from edge.consent.kiosk.visit import Denied, Visit
from edge.consent.receipt import Receipt
from edge.consent.record import ConsentRecord
from edge.consent.recorder import Recorder
from edge.consent.subject import Subject

__all__ = ["SignReceipt", "record_routes"]

SignReceipt = Callable[[ConsentRecord], Receipt]
"""Makes a receipt of a record, signed by the box."""

_JSON_LD: Final = "application/ld+json"


def record_routes(desk: Desk, *, sign: SignReceipt) -> APIRouter:
    """History and downloads. Files only to a shopper's own phone: at the kiosk they would lie there for the next."""
    router = APIRouter()
    recorder = Recorder(controller=desk.controller, notice=desk.registry.notice)

    @router.get("/history", response_class=HTMLResponse)
    def history(request: Request) -> Response:
        """Everything that has happened, newest first."""
        visit = desk.visit(request)
        if visit.subject is None:
            return desk.go(visit, "/")
        lines = history_lines(desk.registry.history(visit.subject), desk=desk, visit=visit)
        return desk.page(visit, "history.html", lines=lines)

    @router.post("/record.jsonld", response_class=Response)
    def jsonld(request: Request, form: Annotated[PlainForm, Form()]) -> Response:
        """The consent records as JSON-LD with the terms of W3C's DPV."""
        visit, subject = own_phone(request, form)
        acts = acts_of(desk.registry.history(subject))
        records = [record_as_jsonld(recorder.record(act, language=visit.look.language)) for act in acts]
        content = json.dumps(records, ensure_ascii=False, indent=2).encode()
        desk.registry.note_exported(subject, channel=visit.channel)
        return _file(content, name="consent.jsonld", media_type=_JSON_LD)

    @router.post("/record.html", response_class=Response)
    def readable(request: Request, form: Annotated[PlainForm, Form()]) -> Response:
        """The same to read: one page without links or pictures, which a phone can keep."""
        visit, subject = own_phone(request, form)
        view = desk.registry.view(subject)
        lines = history_lines(desk.registry.history(subject), desk=desk, visit=visit)
        agreed = [desk.purposes.purpose(purpose) for purpose in sorted(view.granted())]
        page = desk.page(visit, "record.html", lines=lines, agreed=agreed)
        desk.registry.note_exported(subject, channel=visit.channel)
        return _file(bytes(page.body), name="consent.html", media_type="text/html; charset=utf-8")

    @router.post("/receipt.json", response_class=Response)
    def receipt(request: Request, form: Annotated[ReceiptForm, Form()]) -> Response:
        """A receipt of one act, signed by the box: whoever has the shop's public key can check it without the shop."""
        visit, subject = own_phone(request, form)
        acts = [act for act in acts_of(desk.registry.history(subject)) if form.act in {None, act.id}]
        if not acts:
            raise Denied("no_such_page", status=404)
        signed = sign(recorder.record(acts[-1], language=visit.look.language))
        desk.registry.note_exported(subject, channel=visit.channel)
        return _file(signed.as_bytes(), name="receipt.json", media_type="application/json")

    def own_phone(request: Request, form: PlainForm) -> tuple[Visit, Subject]:
        visit = desk.visit(request, token=form.token)
        if visit.channel != "phone":
            raise Denied("no_such_page", status=404)
        return visit, desk.owner(visit)

    return router


def _file(content: bytes, *, name: str, media_type: str) -> Response:
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})
