"""The kiosk and the shopper's own page as one ASGI app. All it knows lies in the registry; what it remembers, in memory."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import structlog
from fastapi import Depends, FastAPI, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from edge.clock import Clock
from edge.consent.kiosk.asking import asking_routes
from edge.consent.kiosk.body_limit import BodyLimit
from edge.consent.kiosk.choosing import choosing_routes
from edge.consent.kiosk.desk import KIOSK_BASE, PHONE_BASE, Desk
from edge.consent.kiosk.erasing import FollowErasure
from edge.consent.kiosk.figures import Figures
from edge.consent.kiosk.finding import finding_routes
from edge.consent.kiosk.home import home_routes
from edge.consent.kiosk.mine import mine_routes
from edge.consent.kiosk.mood import MoodButtons, PassMood
from edge.consent.kiosk.questions import Questions, SealWords
from edge.consent.kiosk.receipts import receipt_routes
from edge.consent.kiosk.records import SignReceipt, record_routes
from edge.consent.kiosk.settling import Settling
from edge.consent.kiosk.visit import Denied
from edge.consent.purposes import PurposeBook
from edge.consent.registry import ConsentRegistry
from edge.consent.tries import Tries
from edge.errors import ThresholdError
from edge.serving.headers import SafeHeaders
from edge.serving.host import HostCheck
from edge.serving.telemetry import NO_TELEMETRY
from edge.settings import Settings

__all__ = ["KioskLinks", "build_kiosk"]

log = structlog.get_logger(__name__)

_MOST_BYTES: Final = 32 * 1024
_HERE: Final = FilePath(__file__).parent
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    303: {"description": "On to the next page."},
    403: {"description": "The form is not from a page of this visit."},
    404: {"description": "There is no such page."},
    413: {"description": "Longer than anything a page asks for."},
    503: {"description": "The registry does not answer; nothing was written down."},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KioskLinks:
    """What the kiosk is given by other rooms. Without `seal` it takes no questions, without `mood` it has no buttons."""

    figures: Figures
    follow_erasure: FollowErasure
    sign_receipt: SignReceipt
    seal: SealWords | None = None
    mood: PassMood | None = None


def build_kiosk(
    settings: Settings,
    *,
    registry: ConsentRegistry,
    purposes: PurposeBook,
    clock: Clock,
    tries: Tries,
    links: KioskLinks,
) -> FastAPI:
    """The pages of one store. `/openapi.json` describes them: it tells nothing that the pages do not."""
    desk = Desk(settings, registry=registry, purposes=purposes, clock=clock)
    # FastAPI's own documentation pages would load scripts from elsewhere.
    app = FastAPI(title="Threshold kiosk", docs_url=None, redoc_url=None, telemetry=NO_TELEMETRY, responses=_ANSWERS)
    app.add_middleware(BodyLimit, most_bytes=_MOST_BYTES)
    app.add_middleware(HostCheck, configured_host=_host(settings))
    app.add_middleware(SafeHeaders)  # added last, so outermost: refusals bear the headers too
    app.include_router(home_routes(desk, figures=links.figures, mood=MoodButtons(links.mood) if links.mood else None))
    app.include_router(finding_routes(desk, tries=tries))
    questions = Questions(registry, seal=links.seal) if links.seal else None
    settling = Settling(desk, questions=questions)
    for router in (
        mine_routes(desk, follow_erasure=links.follow_erasure),
        choosing_routes(desk, settling=settling),
        asking_routes(desk, settling=settling, takes_questions=questions is not None),
        receipt_routes(desk),
        record_routes(desk, sign=links.sign_receipt),
    ):
        app.include_router(router, prefix=KIOSK_BASE)
        app.include_router(router, prefix=PHONE_BASE, dependencies=[Depends(_link)])
    app.get("/healthz")(_health)
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")
    _answer_refusals(app, desk)
    return app


def _health() -> dict[str, str]:
    """Whether this process answers."""
    return {"status": "ok"}


def _link(link: Annotated[str, Path(description="The last part of the address in a receipt's QR code.")]) -> str:
    return link


def _host(settings: Settings) -> str:
    """The name phones use, or the one that is listened on; plain addresses are let in anyway."""
    name = urlsplit(settings.kiosk.public_url).hostname if settings.kiosk.public_url else None
    return name or settings.kiosk.host


def _answer_refusals(app: FastAPI, desk: Desk) -> None:
    """Every refusal is a page in the visitor's language that repeats nothing of what was sent."""

    def refuse(request: Request, *, page: str, status: int) -> Response:
        if request.url.path.startswith("/api/"):
            return JSONResponse({"detail": page}, status_code=status)
        return desk.notice_page(request, page, status=status)

    def denied(request: Request, error: Exception) -> Response:
        assert isinstance(error, Denied)  # noqa: S101  registered for it
        return refuse(request, page=error.page, status=error.status)

    def bad_form(request: Request, _: Exception) -> Response:
        return refuse(request, page="stale_form", status=422)

    def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  registered for it
        page = "no_such_page" if error.status_code == 404 else "stale_form"
        answer = refuse(request, page=page, status=error.status_code)
        answer.headers.update(error.headers or {})
        return answer

    def out_of_order(request: Request, error: Exception) -> Response:
        log.error("kiosk.failed", error=type(error).__name__)
        return refuse(request, page="out_of_order", status=503)

    app.add_exception_handler(Denied, denied)
    app.add_exception_handler(RequestValidationError, bad_form)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(ThresholdError, out_of_order)
    app.add_exception_handler(sqlite3.Error, out_of_order)
