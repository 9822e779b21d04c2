"""What a choice still needs before it may be written down, and writing it down."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from edge.consent.choices import Choices, Shown
from edge.consent.kiosk.desk import Desk
from edge.consent.kiosk.questions import Questions
from edge.consent.kiosk.stays import Draft, Question, Slip
from edge.consent.kiosk.visit import Visit
from edge.consent.purposes import Purpose
from edge.consent.registry import ChoicesRefused

__all__ = ["Settling"]


class Settling:
    """Leads a draft from page to page, and hands it to the registry when nothing is missing."""

    def __init__(self, desk: Desk, *, questions: Questions | None) -> None:
        self._desk = desk
        self._questions = questions

    def open_questions(self, visit: Visit) -> tuple[list[Purpose], list[Purpose]]:
        """The purposes to ask about, and those that this shopper has agreed to already."""
        agreed: frozenset[str] = frozenset()
        if visit.subject is not None:
            agreed = self._desk.registry.view(visit.subject).granted()
        individual = self._desk.purposes.individual()
        return [p for p in individual if p.id not in agreed], [p for p in individual if p.id in agreed]

    def began(self, visit: Visit) -> bool:
        """Whether something has been chosen that waits for an answer."""
        return bool(visit.stay and visit.stay.draft.granted)

    def needing_guardian(self, draft: Draft) -> frozenset[str]:
        """What the shopper wants and may not decide alone (PIPL Art. 31; GDPR Art. 8)."""
        band = draft.age_band
        if band is None or draft.guardian is not None:
            return frozenset()
        return frozenset(p.id for p in self._purposes(draft) if not p.decides_alone(band))

    def to_confirm(self, draft: Draft) -> list[Purpose]:
        """What still needs a page of its own."""
        return [purpose for purpose in self._purposes(draft) if purpose.separate and purpose.id not in draft.confirmed]

    def next(self, visit: Visit, draft: Draft) -> Response:
        """The page of whatever is missing; with nothing missing, the choice is written down."""
        if not draft.asked:
            return self._desk.go(visit, visit.to("choose"))
        page = self._missing(draft)
        if page is None:
            return self._settle(visit, draft)
        self._desk.stay(visit).draft = draft
        return self._desk.go(visit, visit.to(page))

    def ask_without_consent(self, visit: Visit, question: Question) -> Response:
        """Take in a question that needs no consent; whoever asks gets a code to read the answer with."""
        return self._settle(visit, Draft(question=question))

    def _missing(self, draft: Draft) -> str | None:
        if not draft.granted:
            return None
        if draft.age_band is None:
            return "age"
        if self.needing_guardian(draft):
            return "guardian"
        return "confirm" if self.to_confirm(draft) else None

    def _settle(self, visit: Visit, draft: Draft) -> Response:
        if visit.stay is None:
            return self._write_down(visit, draft)
        with visit.stay.settling:
            if not self._desk.still_there(visit):  # the same form, sent twice: the other request has moved the visit on
                return self._desk.go(visit, visit.to("receipt"))
            return self._write_down(visit, draft)

    def _write_down(self, visit: Visit, draft: Draft) -> Response:
        desk = self._desk
        question = self._without_contact(draft)
        try:
            given = desk.registry.give(self._choices(visit, draft))
        except ChoicesRefused as refusal:
            desk.stay(visit).draft = Draft()
            if refusal.reason == "erased":
                return desk.go(visit, visit.to())
            changed = refusal.reason == "notice_changed"
            return desk.go(visit, visit.to("choose"), say="notice_changed" if changed else "not_saved")
        if not draft.granted and draft.question is None:
            return self._nothing(visit)
        stay = desk.belongs_to(visit, given.subject)
        stay.draft, stay.unsent = Draft(), None
        due = None
        if question is not None and self._questions is not None:
            due = self._questions.take(question, subject=given.subject, visit=visit).due_at
        if given.codes is not None:
            stay.slip = Slip(given.codes, given.at, answer_due=due)
            return desk.go(visit, visit.to("receipt"))
        return desk.go(visit, visit.to(), say="saved" if due is None else "question_taken")

    def _without_contact(self, draft: Draft) -> Question | None:
        """The question as it may be kept: no way to reach somebody who has not agreed to be reached."""
        if draft.question is None or not draft.asked or draft.granted:
            return draft.question
        return replace(draft.question, contact="")

    def _nothing(self, visit: Visit) -> Response:
        """A no is written down as well, and nobody is asked to keep a code for it."""
        if visit.stay:
            visit.stay.draft = Draft()
        if visit.subject is not None:
            return self._desk.go(visit, visit.to(), say="nothing_added")
        return self._desk.go(visit, "/nothing")

    def _choices(self, visit: Visit, draft: Draft) -> Choices:
        versions = {purpose: self._desk.purposes.version(purpose) for purpose in draft.asked}
        return Choices(
            subject=visit.subject,
            granted=draft.granted,
            refused=draft.asked - draft.granted,
            separately=draft.confirmed & draft.granted,
            shown=Shown(versions=versions, language=visit.look.language, channel=visit.channel),
            age_band=draft.age_band,
            guardian=draft.guardian,
        )

    def _purposes(self, draft: Draft) -> list[Purpose]:
        return [purpose for purpose in self._desk.purposes.individual() if purpose.id in draft.granted]
