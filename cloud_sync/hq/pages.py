"""The page: all stores on one screen. Made on the server, nothing loaded from elsewhere, no script at all."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy import Engine
from starlette.exceptions import HTTPException

from cloud_sync.hq.credentials import matches
from cloud_sync.hq.overview import StoreToday, overview
from cloud_sync.hq.settings import HqServiceSettings
from cloud_sync.hq.waiting import Waiting
from cloud_sync.hq.words import Words, ago, choose_language, money, words
from edge.clock import Clock, epoch_s

__all__ = ["Pages"]

_LATE_S = 3600
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


@dataclass(frozen=True, slots=True)
class _Bar:
    """One hour's bar, in the SVG's own units; the tallest is 24 high."""

    x: int
    height: float


@dataclass(frozen=True, slots=True)
class _Line:
    store: str
    seen: str
    late: bool
    events: int
    visits: int
    bars: tuple[_Bar, ...]
    takings: tuple[str, ...]
    waiting: Waiting


class Pages:
    """The HTML page at `/` and its style sheet. `router` is what an application includes."""

    def __init__(self, engine: Engine, settings: HqServiceSettings, *, clock: Clock) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock
        templates = Environment(
            loader=PackageLoader("cloud_sync.hq"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._template = templates.get_template("stores.html")
        self._style = resources.files("cloud_sync.hq").joinpath("static/hq.css").read_text("utf-8")
        self.router = APIRouter()
        self.router.add_api_route("/", self.show_stores, methods=["GET"], response_class=HTMLResponse)
        self.router.add_api_route("/hq.css", self.show_style, methods=["GET"], response_class=Response)

    def show_stores(self, request: Request, lang: str | None = None) -> HTMLResponse:
        """All stores, each with its own today."""
        self._authorise(request)
        language = choose_language(lang, request.headers.get("accept-language", ""))
        now = self._clock()
        with self._engine.begin() as connection:
            stores = overview(connection, now=now)
        say = words(language)
        lines = [_line(store, now_s=epoch_s(now), say=say) for store in stores]
        page = self._template.render(
            say=say, language=language, lines=lines, total=sum(s.visits for s in stores), waiting=_all_waiting(stores)
        )
        return HTMLResponse(page, headers=_HEADERS | {"content-language": language, "vary": "accept-language"})

    def show_style(self) -> Response:
        """The style sheet."""
        return Response(self._style, media_type="text/css", headers={"x-content-type-options": "nosniff"})

    def _authorise(self, request: Request) -> None:
        """Let pass who logs in with the administrator's token as password, or anyone where the page is open."""
        if self._settings.page_open or matches(_password(request), self._settings.admin_token_hash):
            return
        raise HTTPException(
            401, "log in with the administrator's token as password", headers={"www-authenticate": 'Basic realm="HQ"'}
        )


def _password(request: Request) -> str:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        _, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return password


def _line(store: StoreToday, *, now_s: int, say: Words) -> _Line:
    silent_s = None if store.last_seen_s is None else max(0, now_s - store.last_seen_s)
    return _Line(
        store=store.store,
        seen=ago(silent_s, say),
        late=silent_s is None or silent_s > _LATE_S,
        events=store.events,
        visits=store.visits,
        bars=_bars(store.visits_by_hour),
        takings=tuple(money(minor, currency) for currency, minor in store.takings_minor.items()),
        waiting=store.waiting,
    )


def _all_waiting(stores: Iterable[StoreToday]) -> Waiting:
    """Whoever waits, of all stores."""
    waits = [store.waiting for store in stores]
    return Waiting(
        tickets=sum(one.tickets for one in waits),
        overdue=sum(one.overdue for one in waits),
        erasures=sum(one.erasures for one in waits),
    )


def _bars(by_hour: tuple[int, ...]) -> tuple[_Bar, ...]:
    tallest = max(*by_hour, 1)
    return tuple(_Bar(x=5 * hour, height=round(24 * visits / tallest, 1)) for hour, visits in enumerate(by_hour))
