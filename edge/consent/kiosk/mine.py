"""The shopper's own page: see, take back, say more, a short code for the mirror, a new receipt, erase."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from edge.consent.kiosk.desk import Desk
from edge.consent.kiosk.erasing import FollowErasure
from edge.consent.kiosk.forms import PlainForm, WithdrawForm
from edge.consent.kiosk.presenting import own_page
from edge.consent.kiosk.stays import Slip
from edge.consent.kiosk.visit import Visit
from edge.consent.registry import ChoicesRefused
from edge.consent.subject import Subject

__all__ = ["mine_routes"]


def mine_routes(desk: Desk, *, follow_erasure: FollowErasure) -> APIRouter:
    """The shopper's own page, at the kiosk once the code is known and on a phone under its link."""
    router = APIRouter()

    @router.get("", response_class=HTMLResponse)
    def mine(request: Request) -> Response:
        """Everything the shopper has chosen, each with its way back."""
        visit = desk.visit(request)
        if visit.subject is None:
            return desk.go(visit, "/")
        view = desk.registry.view(visit.subject)
        if view.erased_at is not None and view.erased_seq is not None:
            return desk.page(visit, "erased.html", view=view, progress=follow_erasure(view.erased_seq))
        return desk.page(visit, "mine.html", mine=own_page(visit, desk=desk, view=view, subject=visit.subject))

    @router.post("/withdraw", response_class=HTMLResponse)
    def withdraw(request: Request, form: Annotated[WithdrawForm, Form()]) -> Response:
        """Take back one purpose, or all: one tap, and no question asked."""
        visit, subject = known(request, form)
        chosen = None if form.purpose is None else [form.purpose]
        desk.registry.withdraw(subject, chosen, channel=visit.channel)
        _without_short_code(visit)
        return desk.go(visit, visit.to(), say="withdrawn_all" if chosen is None else "withdrawn_one")

    @router.post("/short-code", response_class=HTMLResponse)
    def short_code(request: Request, form: Annotated[PlainForm, Form()]) -> Response:
        """Six digits that stand at a mirror or till for this shopper and what is allowed now."""
        visit, subject = known(request, form)
        try:
            code = desk.registry.open_session(subject, desk.registry.view(subject).granted())
        except ChoicesRefused:
            return desk.go(visit, visit.to(), say="nothing_to_show_a_code_for")
        desk.stay(visit).short_code = code
        return desk.go(visit, visit.to() + "#short-code")

    @router.post("/end-short-code", response_class=HTMLResponse)
    def end_short_code(request: Request, form: Annotated[PlainForm, Form()]) -> Response:
        """The digits stand for nothing from here on."""
        visit, subject = known(request, form)
        desk.registry.end_sessions(subject)
        _without_short_code(visit)
        return desk.go(visit, visit.to(), say="short_code_ended")

    @router.post("/new-receipt", response_class=HTMLResponse)
    def new_receipt(request: Request, form: Annotated[PlainForm, Form()]) -> Response:
        """A new code and link; the old ones open nothing any more."""
        visit, subject = known(request, form)
        try:
            codes = desk.registry.issue_codes(subject, channel=visit.channel)
        except ChoicesRefused:
            return desk.go(visit, visit.to())
        slip = Slip(codes, visit.at)
        if visit.channel == "phone":
            return desk.moved(visit, link=codes.link, slip=slip)
        desk.belongs_to(visit, subject).slip = slip
        return desk.go(visit, visit.to("receipt"))

    @router.get("/erase", response_class=HTMLResponse)
    def erase(request: Request) -> Response:
        """What erasing does, before it is done: it cannot be undone."""
        visit = desk.visit(request)
        return desk.page(visit, "erase.html") if visit.subject else desk.go(visit, "/")

    @router.post("/erase", response_class=HTMLResponse)
    def erased(request: Request, form: Annotated[PlainForm, Form()]) -> Response:
        """Destroy everything, here and at headquarters."""
        visit, subject = known(request, form)
        desk.registry.erase(subject, channel=visit.channel)
        _without_short_code(visit)
        return desk.go(visit, visit.to())

    def known(request: Request, form: PlainForm) -> tuple[Visit, Subject]:
        visit = desk.visit(request, token=form.token)
        return visit, desk.owner(visit)

    return router


def _without_short_code(visit: Visit) -> None:
    if visit.stay:
        visit.stay.short_code = None
