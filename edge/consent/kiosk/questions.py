"""Questions and complaints: sealed to headquarters at once, so that this box cannot read them back."""

from __future__ import annotations

import json
from collections.abc import Callable

from edge.consent.kiosk.desk import ANSWER_WITHIN
from edge.consent.kiosk.stays import Question
from edge.consent.kiosk.visit import Visit
from edge.consent.registry import ConsentRegistry
from edge.consent.subject import Subject
from edge.consent.tickets import Ticket

__all__ = ["Questions", "SealWords"]

SealWords = Callable[[bytes], bytes]
"""Seals to the key of headquarters' people."""


class Questions:
    """Seals what is asked and hands it to the registry."""

    def __init__(self, registry: ConsentRegistry, *, seal: SealWords) -> None:
        self._registry = registry
        self._seal = seal

    def take(self, question: Question, *, subject: Subject, visit: Visit) -> Ticket:
        """Keep a question for headquarters; `visit` says when and in which language it was asked."""
        told = {"words": question.words, "language": visit.look.language}
        if question.contact:
            told["contact"] = question.contact
        return self._registry.open_ticket(
            question.kind,
            sealed=self._seal(json.dumps(told, ensure_ascii=False, sort_keys=True).encode()),
            due=visit.at + ANSWER_WITHIN,
            language=visit.look.language,
            channel=visit.channel,
            subject=subject,
        )
