"""The first page: what this shop measures, today's figures, the three ways on, and the mood buttons."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from edge.consent.kiosk.desk import Desk
from edge.consent.kiosk.figures import Figures, TodayShown
from edge.consent.kiosk.forms import MoodForm
from edge.consent.kiosk.mood import MoodButtons
from edge.consent.kiosk.speech import Speech

__all__ = ["TodayAnswer", "home_routes"]


class TodayAnswer(BaseModel):
    """`/api/today`: today's figures as the page words them."""

    model_config = ConfigDict(frozen=True)
    entered: str
    inside: str
    as_of: str


def home_routes(desk: Desk, *, figures: Figures, mood: MoodButtons | None) -> APIRouter:
    """The pages that anybody may read. Without `mood` there are no buttons."""
    router = APIRouter()

    @router.get("/", response_class=HTMLResponse)
    def home(request: Request) -> Response:
        """What this shop measures, and what a shopper can do here."""
        visit = desk.visit(request)
        today = figures()
        words = _worded(today, say=visit.say, few=desk.settings.privacy.k)
        return desk.page(visit, "home.html", today=today, figures=words, mood=mood is not None)

    @router.get("/api/today")
    def today(request: Request) -> TodayAnswer:
        """Today's figures, for the page's script."""
        return _worded(figures(), say=desk.visit(request).say, few=desk.settings.privacy.k)

    @router.get("/about", response_class=HTMLResponse)
    def about(request: Request) -> Response:
        """Everything that is done without asking each shopper, in full."""
        general = [purpose for purpose in desk.purposes if not purpose.individual]
        return desk.page(desk.visit(request), "about.html", purposes=general, today=figures())

    @router.post("/mood", response_class=HTMLResponse)
    def press(request: Request, form: Annotated[MoodForm, Form()]) -> Response:
        """A mood button. It tells how somebody feels, and not who."""
        visit = desk.visit(request, token=form.token)
        if mood is not None:
            mood.press(form.level, address=visit.address, at=visit.at)
        return desk.go(visit, "/", say="mood_taken")

    @router.get("/nothing", response_class=HTMLResponse)
    def nothing(request: Request) -> Response:
        """After somebody has allowed nothing."""
        return desk.page(desk.visit(request), "nothing.html")

    @router.get("/reset", response_class=HTMLResponse)
    def reset(request: Request) -> Response:
        """Home, with nothing left of the visit."""
        return desk.forget(request)

    @router.post("/still-here", status_code=204)
    def still_here(request: Request) -> Response:
        """Somebody is still reading or writing: keep what is remembered of the visit."""
        desk.visit(request)
        return Response(status_code=204)

    return router


def _worded(today: TodayShown | None, *, say: Speech, few: int) -> TodayAnswer:
    """Figures for the public: a handful of people is a handful, and a dash stands for what nobody knows."""
    if today is None:
        return TodayAnswer(entered="–", inside="–", as_of="")

    def number(people: int) -> str:
        return say.number(people) if people >= few else say("under", most=few)

    return TodayAnswer(entered=number(today.entered), inside=number(today.inside), as_of=say.clock(today.at))
