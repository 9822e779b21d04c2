"""The web process: the store dashboard, its live figures, and a health check. Reads the databases, writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict

from edge.clock import Clock
from edge.serving.headers import SafeHeaders
from edge.serving.host import HostCheck
from edge.serving.language import LANGUAGES, Language, accepted_language, known_language
from edge.serving.telemetry import NO_TELEMETRY
from edge.settings import Settings
from edge.web.figures import Record, Today
from edge.web.language import Speech
from edge.web.presenter import present
from edge.web.reading import read_today
from edge.web.source import open_source
from edge.web.view import View

__all__ = ["LANGUAGE_COOKIE", "Health", "TodayAnswer", "build_web"]

LANGUAGE_COOKIE: Final = "threshold_language"
_YEAR_S: Final = 365 * 24 * 3600
_HERE: Final = Path(__file__).parent


class TodayAnswer(BaseModel):
    """`/api/today`: the figures, and the same as the page words them in `language`."""

    model_config = ConfigDict(frozen=True)
    language: Language
    occupancy: int
    figures: Today
    view: View


class Health(BaseModel):
    """`/healthz`: the web process answers; and whether the gateway's record is there to be read."""

    model_config = ConfigDict(frozen=True)
    status: Literal["ok"] = "ok"
    record: Record


def build_web(settings: Settings, *, clock: Clock) -> FastAPI:
    """The dashboard of one store as an ASGI app. It makes no request of its own and needs none of the databases to exist."""
    dashboard = _Dashboard(settings, clock=clock)
    # FastAPI's own documentation pages would load scripts from elsewhere.
    app = FastAPI(title="Threshold", docs_url=None, redoc_url=None, openapi_url=None, telemetry=NO_TELEMETRY)
    app.add_middleware(HostCheck, configured_host=settings.web.host)
    app.add_middleware(SafeHeaders)  # added last, so outermost: refusals bear the headers too
    app.get("/", response_class=HTMLResponse)(dashboard.page)
    app.get("/api/today")(dashboard.today)
    app.get("/healthz")(dashboard.health)
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")
    return app


class _Dashboard:
    """The answers. They are plain functions, so each runs in a thread of its own and may wait for SQLite."""

    def __init__(self, settings: Settings, *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )

    def page(self, request: Request) -> HTMLResponse:
        """The dashboard; `?lang=` chooses a language and a cookie remembers it."""
        language = _language(request)
        say = Speech(language)
        page = self._templates.get_template("today.html").render(
            view=present(self._today(), say=say),
            blank=_Blank(),
            say=say,
            language=language,
            timezone=self._settings.store.timezone,
            switch=[(other, Speech(other)("language_name")) for other in LANGUAGES],
        )
        response = HTMLResponse(page)
        if known_language(request.query_params.get("lang")):
            response.set_cookie(LANGUAGE_COOKIE, language, max_age=_YEAR_S, httponly=True, samesite="lax")
        return response

    def today(self, request: Request) -> TodayAnswer:
        """What the page shows, for its script and for yours."""
        language = _language(request)
        today = self._today()
        view = present(today, say=Speech(language))
        return TodayAnswer(language=language, occupancy=today.footfall.occupancy, figures=today, view=view)

    def health(self) -> Health:
        """Whether this process answers."""
        with open_source(self._settings.store_db) as store:
            return Health(record=store.record)

    def _today(self) -> Today:
        return read_today(self._settings, at=self._clock())


class _Blank:
    """A row of nothing, from which the page makes the empty rows that its script copies."""

    def __getattr__(self, name: str) -> str:
        return ""

    def __html__(self) -> str:
        return ""


def _language(request: Request) -> Language:
    return (
        known_language(request.query_params.get("lang"))
        or known_language(request.cookies.get(LANGUAGE_COOKIE))
        or accepted_language(request.headers.get("accept-language"))
    )
