"""What every page needs: who is asking, the page in their language, and the way to the next page."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal, TypeVar
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from edge.clock import Clock
from edge.consent.controller import Controller
from edge.consent.kiosk.forgery import FormTokens
from edge.consent.kiosk.look import LOOK_COOKIE, Look
from edge.consent.kiosk.speech import Catalogue
from edge.consent.kiosk.stays import Slip, Stay, Stays
from edge.consent.kiosk.visit import Denied, Visit
from edge.consent.purposes import LANGUAGES, PurposeBook
from edge.consent.registry import ConsentRegistry
from edge.consent.subject import Subject
from edge.settings import Settings

__all__ = ["ANSWER_WITHIN", "KIOSK_BASE", "PHONE_BASE", "VISIT_COOKIE", "Desk"]

VISIT_COOKIE: Final = "threshold_visit"
KIOSK_BASE: Final = "/here"
PHONE_BASE: Final = "/my/{link}"
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_LINK: Final = re.compile(r"[A-Za-z0-9_-]{22}")
_OWN_PAGE: Final = re.compile(r"/my/[A-Za-z0-9_-]{22}(?=/|$)")
ANSWER_WITHIN: Final = timedelta(days=15)
"""A question's answer. GDPR Art. 12(3) allows a month; a shopper who asked at the door expects less."""

WARNINGS: Final = frozenset(
    {
        "code_unknown", "contact_missing", "contact_needs_yes", "guardian_must_confirm", "not_saved", "notice_changed",
        "nothing_to_show_a_code_for", "questions_to_staff", "switch_something", "too_many_tries", "words_missing",
        "words_too_long",
    }
)  # fmt: skip
"""What a page says once that is no good news."""

_SILENCES: Final = 3
"""The browser forgets after one idle time; the server, which a stopped browser cannot tell, after three."""

_Answer = TypeVar("_Answer", bound=Response)


class Desk:
    """Shared by all pages. It holds no state of its own but the stays."""

    def __init__(self, settings: Settings, *, registry: ConsentRegistry, purposes: PurposeBook, clock: Clock) -> None:
        self.settings = settings
        self.registry = registry
        self.purposes = purposes
        self.clock = clock
        self.controller = Controller.of(settings)
        self.stays = Stays(forget_after=timedelta(seconds=_SILENCES * settings.kiosk.idle_s))
        self._tokens = FormTokens(secrets.token_bytes(32))
        self._catalogue = Catalogue.load()
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def visit(self, request: Request, *, token: str | None = None) -> Visit:
        """Who asks. A form brings its `token`.

        Raises:
            Denied: the link opens nothing, or the form is not from a page of this visit.
        """
        link = request.path_params.get("link")
        visit = self._kiosk_visit(request) if link is None else self._phone_visit(request, link)
        if token is not None:
            site = request.headers.get("sec-fetch-site")
            if not self._tokens.fits(token, visit_key=visit.sent_key, fetch_site=site):
                raise Denied("stale_form", status=403)
        return visit

    def stay(self, visit: Visit) -> Stay:
        """What is remembered of the visit; from here on something is, under a key that was made here."""
        if visit.stay is None:
            visit.key, visit.stay = self.stays.open(address=visit.address, at=visit.at)
        return visit.stay

    def still_there(self, visit: Visit) -> bool:
        """Whether the visit's key still leads to what is remembered of it."""
        return self.stays.find(visit.key, at=visit.at) is visit.stay

    def belongs_to(self, visit: Visit, subject: Subject) -> Stay:
        """Make the visit `subject`'s own, under a new key."""
        stay = self.stay(visit)
        stay.subject = subject
        if visit.channel == "kiosk":
            visit.key = self.stays.rekey(visit.key)
        return stay

    def owner(self, visit: Visit) -> Subject:
        """Whose page this is.

        Raises:
            Denied: the visit belongs to nobody, or not any more.
        """
        if visit.subject is None:
            raise Denied("stale_form", status=403)
        return visit.subject

    def moved(self, visit: Visit, *, link: str, slip: Slip) -> Response:
        """A phone's page has a new link: on to its receipt there, and nothing stays under the old one."""
        self.stays.end(visit.key)
        _, stay = self.stays.open(address=visit.address, at=visit.at, key=_link_key(link))
        stay.slip = slip
        return self._remembering(visit, RedirectResponse(f"{PHONE_BASE.format(link=link)}/receipt", status_code=303))

    def page(self, visit: Visit, template: str, *, status: int = 200, **content: Any) -> HTMLResponse:
        """The page, with whatever has to be said once."""
        said = visit.stay.said if visit.stay else None
        if visit.stay:
            visit.stay.said = None
        html = self._templates.get_template(template).render(
            visit=visit,
            say=visit.say,
            look=visit.look,
            said=said,
            token=self._tokens.token(visit.key) if visit.key else "",
            store_name=self.settings.store.name or self.settings.store.id,
            idle_s=self.settings.kiosk.idle_s if visit.channel == "kiosk" else 0,
            controller=self.controller,
            answer_days=ANSWER_WITHIN.days,
            warnings=WARNINGS,
            languages=[(language, self._catalogue.name_of(language)) for language in LANGUAGES],
            **content,
        )
        return self._remembering(visit, HTMLResponse(html, status_code=status))

    def notice_page(self, request: Request, notice: str, *, status: int) -> HTMLResponse:
        """A page that says one thing, for whoever it is: nothing of the request but the language is looked at."""
        visit = self._any_visit(request, base=KIOSK_BASE, channel="kiosk", key="", sent_key="")
        own = _OWN_PAGE.match(request.url.path)
        start = own[0] if own and notice != "no_such_page" else "/"
        return self.page(visit, "notice.html", status=status, notice=notice, start=start)

    def go(self, visit: Visit, path: str, *, say: str | None = None) -> Response:
        """On to another page of ours (303), where `say` will be said."""
        if say is not None:
            self.stay(visit).said = say
        return self._remembering(visit, RedirectResponse(path, status_code=303))

    def look_again(self, visit: Visit, page: str, wish: str) -> Response:
        """The same page in another language or size."""
        visit.look = visit.look.with_wishes(dict(parse_qsl(wish)))
        return self.go(visit, visit.to(page))

    def forget(self, request: Request) -> Response:
        """Home, with nothing left of the visit, neither here nor in the browser."""
        self.stays.end(request.cookies.get(VISIT_COOKIE, ""))
        response = RedirectResponse("/", status_code=303)
        for name in (VISIT_COOKIE, LOOK_COOKIE):
            response.delete_cookie(name, httponly=True, samesite="strict")
        return response

    def _kiosk_visit(self, request: Request) -> Visit:
        sent = request.cookies.get(VISIT_COOKIE, "")
        sent = sent if _KEY.fullmatch(sent) else ""
        key = sent or secrets.token_urlsafe(32)
        visit = self._any_visit(request, base=KIOSK_BASE, channel="kiosk", key=key, sent_key=sent)
        visit.stay = self.stays.find(sent, at=visit.at)
        return visit

    def _phone_visit(self, request: Request, link: str) -> Visit:
        """Whoever holds the link is its subject: it is 128 bits that nobody can guess, and needs no cookie."""
        subject = self.registry.by_link(link) if _LINK.fullmatch(link) else None
        if subject is None:
            raise Denied("no_such_page", status=404)
        key = _link_key(link)
        visit = self._any_visit(request, base=PHONE_BASE.format(link=link), channel="phone", key=key, sent_key=key)
        visit.stay = self.stays.find(key, at=visit.at)
        if visit.stay is None:
            _, visit.stay = self.stays.open(address=visit.address, at=visit.at, key=key)
        visit.stay.subject = subject
        return visit

    def _any_visit(
        self, request: Request, *, base: str, channel: Literal["kiosk", "phone"], key: str, sent_key: str
    ) -> Visit:
        remembered = request.cookies.get(LOOK_COOKIE)
        sent_look = Look.of(cookie=remembered, accept_language=request.headers.get("accept-language"))
        look = sent_look.with_wishes(request.query_params)
        return Visit(
            base=base,
            channel=channel,
            address=request.client.host if request.client else "",
            at=self.clock(),
            over_tls=request.url.scheme == "https",
            look=look,
            sent_look=sent_look,
            say=self._catalogue.speech(look.language, timezone=self.settings.store.timezone),
            key=key,
            sent_key=sent_key,
        )

    def _remembering(self, visit: Visit, response: _Answer) -> _Answer:
        """Set the cookies that have changed. They end with the browser's session, and no script can read them."""
        changed = {}
        if visit.channel == "kiosk" and visit.key != visit.sent_key:
            changed[VISIT_COOKIE] = visit.key
        if visit.look != visit.sent_look:
            changed[LOOK_COOKIE] = visit.look.cookie
        for name, value in changed.items():
            response.set_cookie(name, value, httponly=True, samesite="strict", secure=visit.over_tls)
        return response


def _link_key(link: str) -> str:
    return f"link {link}"
