"""Ask or complain: words for headquarters' people, and a way to answer if the shopper agrees to one."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from edge.consent.kiosk.desk import Desk
from edge.consent.kiosk.forms import MOST_WORDS, AskForm
from edge.consent.kiosk.settling import Settling
from edge.consent.kiosk.stays import Draft, Question
from edge.consent.kiosk.visit import Visit

__all__ = ["asking_routes"]

_CONTACT: Final = "feedback_contact"
_LONGEST_CONTACT: Final = 100


def asking_routes(desk: Desk, *, settling: Settling, takes_questions: bool) -> APIRouter:
    """The page of questions, for the kiosk and for a shopper's own page alike.

    Not `takes_questions`: there is no key of headquarters to seal words to, so the page sends people to the staff.
    """
    router = APIRouter()
    asks_for_contact = _CONTACT in desk.purposes and desk.purposes.purpose(_CONTACT).individual

    @router.get("/ask", response_class=HTMLResponse)
    def ask(request: Request) -> Response:
        """A box for words; a field for contact that is used only with a yes."""
        visit = desk.visit(request)
        return desk.page(
            visit,
            "ask.html",
            takes_questions=takes_questions,
            unsent=(visit.stay.unsent if visit.stay else None) or Question("question", ""),
            contact=desk.purposes.purpose(_CONTACT) if asks_for_contact else None,
            most_words=MOST_WORDS,
        )

    @router.post("/ask", response_class=HTMLResponse)
    def asked(request: Request, form: Annotated[AskForm, Form()]) -> Response:
        """Take the question in, or say what is missing."""
        visit = desk.visit(request, token=form.token)
        question = Question(form.kind, _plain(form.words), _plain(form.contact) if asks_for_contact else "")
        if form.look:
            desk.stay(visit).unsent = question
            return desk.look_again(visit, "ask", form.look)
        mistake = _mistake(question, form=form) if takes_questions else "questions_to_staff"
        if mistake is not None:
            desk.stay(visit).unsent = question
            return desk.go(visit, visit.to("ask"), say=mistake)
        if question.contact and not _may_contact(visit):
            asked = frozenset({_CONTACT})
            return settling.next(visit, Draft(granted=asked, asked=asked, question=question))
        return settling.ask_without_consent(visit, question)

    def _may_contact(visit: Visit) -> bool:
        return visit.subject is not None and _CONTACT in desk.registry.view(visit.subject).granted()

    def _mistake(question: Question, *, form: AskForm) -> str | None:
        if not question.words:
            return "words_missing"
        if len(question.words) > MOST_WORDS or len(question.contact) > _LONGEST_CONTACT:
            return "words_too_long"
        if question.contact and form.contact_ok is None:
            return "contact_needs_yes"
        if form.contact_ok and not question.contact:
            return "contact_missing"
        return None

    return router


def _plain(text: str) -> str:
    """The words without what cannot be seen: line ends as one, no control characters."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(sign for sign in lines if sign == "\n" or sign.isprintable()).strip()
