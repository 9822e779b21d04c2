"""The way from the switches to the receipt: choose, age, guardian, separate confirmation, written down."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from edge.consent.kiosk.desk import Desk
from edge.consent.kiosk.forms import AgeForm, ChooseForm, ConfirmForm, GuardianForm
from edge.consent.kiosk.settling import Settling
from edge.consent.kiosk.stays import Draft
from edge.consent.kiosk.visit import Visit

__all__ = ["choosing_routes"]


def choosing_routes(desk: Desk, *, settling: Settling) -> APIRouter:
    """The pages of a choice, for the kiosk and for a shopper's own page alike."""
    router = APIRouter()

    @router.get("/choose", response_class=HTMLResponse)
    def choose(request: Request) -> Response:
        """One switch for each purpose, all off but those that this visit has put on."""
        visit = desk.visit(request)
        draft = visit.stay.draft if visit.stay else Draft()
        purposes, agreed = settling.open_questions(visit)
        return desk.page(visit, "choose.html", purposes=purposes, agreed=agreed, on=draft.granted)

    @router.post("/choose", response_class=HTMLResponse)
    def chosen(request: Request, form: Annotated[ChooseForm, Form()]) -> Response:
        """What was switched on, or nothing."""
        visit = desk.visit(request, token=form.token)
        asked = frozenset(purpose.id for purpose in settling.open_questions(visit)[0])
        draft = Draft(granted=asked.intersection(form.allow), asked=asked)
        if form.look:
            desk.stay(visit).draft = draft
            return desk.look_again(visit, "choose", form.look)
        if form.answer == "none":
            return settling.next(visit, replace(draft, granted=frozenset()))
        if not draft.granted:
            return desk.go(visit, visit.to("choose"), say="switch_something")
        return settling.next(visit, draft)

    @router.get("/age", response_class=HTMLResponse)
    def age(request: Request) -> Response:
        """Of which age, roughly; no birthday is asked."""
        visit = desk.visit(request)
        return desk.page(visit, "age.html") if settling.began(visit) else desk.go(visit, visit.to("choose"))

    @router.post("/age", response_class=HTMLResponse)
    def aged(request: Request, form: Annotated[AgeForm, Form()]) -> Response:
        """Who is under 14 needs a guardian."""
        visit = desk.visit(request, token=form.token)
        band = "guardian" if form.age == "under-14" else form.age
        return settling.next(visit, replace(_draft(visit), age_band=band, guardian=None))

    @router.get("/guardian", response_class=HTMLResponse)
    def guardian(request: Request) -> Response:
        """What the child wants to allow, for the guardian to read."""
        visit = desk.visit(request)
        if not settling.began(visit):
            return desk.go(visit, visit.to("choose"))
        draft = _draft(visit)
        purposes = [purpose for purpose in desk.purposes.individual() if purpose.id in draft.granted]
        return desk.page(visit, "guardian.html", purposes=purposes, child=draft.age_band == "guardian")

    @router.post("/guardian", response_class=HTMLResponse)
    def guarded(request: Request, form: Annotated[GuardianForm, Form()]) -> Response:
        """The guardian's explicit confirmation; without one, what needs it is left out."""
        visit = desk.visit(request, token=form.token)
        draft = _draft(visit)
        if form.answer == "stop":
            return settling.next(visit, replace(draft, granted=draft.granted - settling.needing_guardian(draft)))
        if form.present is None:
            return desk.go(visit, visit.to("guardian"), say="guardian_must_confirm")
        return settling.next(visit, replace(draft, guardian=form.answer))

    @router.get("/confirm", response_class=HTMLResponse)
    def confirm(request: Request) -> Response:
        """A purpose that needs consent of its own, on a page of its own (PIPL Art. 29)."""
        visit = desk.visit(request)
        waiting = settling.to_confirm(_draft(visit))
        return desk.page(visit, "confirm.html", purpose=waiting[0]) if waiting else desk.go(visit, visit.to("choose"))

    @router.post("/confirm", response_class=HTMLResponse)
    def confirmed(request: Request, form: Annotated[ConfirmForm, Form()]) -> Response:
        """Yes or no to that purpose alone."""
        visit = desk.visit(request, token=form.token)
        draft = _draft(visit)
        this = draft.granted & {form.purpose}
        if form.answer == "yes":
            return settling.next(visit, replace(draft, confirmed=draft.confirmed | this))
        return settling.next(visit, replace(draft, granted=draft.granted - this))

    return router


def _draft(visit: Visit) -> Draft:
    return visit.stay.draft if visit.stay else Draft()
