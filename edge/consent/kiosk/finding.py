"""My choices, by the code of the receipt or its QR code. A wrong code and an old one get the same answer."""

from __future__ import annotations

import re
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from edge.consent.kiosk.desk import Desk
from edge.consent.kiosk.forms import CodeForm
from edge.consent.subject import Subject
from edge.consent.tries import Tries

__all__ = ["finding_routes"]

_SCANNED: Final = re.compile(r"(?:https?://[^\s/?#]+/my/)?([A-Za-z0-9_-]{22})/?")


def finding_routes(desk: Desk, *, tries: Tries) -> APIRouter:
    """The page that asks for the code."""
    router = APIRouter()

    @router.get("/find", response_class=HTMLResponse)
    def find(request: Request) -> Response:
        """A field for the code."""
        return desk.page(desk.visit(request), "find.html")

    @router.post("/find", response_class=HTMLResponse)
    def found(request: Request, form: Annotated[CodeForm, Form()]) -> Response:
        """The shopper's own page, or a no that says nothing else."""
        visit = desk.visit(request, token=form.token)
        if not tries.take(visit.address, at=visit.at):
            return desk.go(visit, "/find", say="too_many_tries")
        subject = _subject(form.code.strip())
        if subject is None:
            return desk.go(visit, "/find", say="code_unknown")
        tries.forgive(visit.address, at=visit.at)
        desk.belongs_to(visit, subject)
        return desk.go(visit, visit.to())

    def _subject(typed: str) -> Subject | None:
        scanned = _SCANNED.fullmatch(typed)
        return desk.registry.by_link(scanned[1]) if scanned else desk.registry.by_code(typed)

    return router
