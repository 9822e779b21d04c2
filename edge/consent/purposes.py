"""Purposes and their notices: what a shopper is told, in both languages, before anything is done.

A shop may bring its own file; docs/purposes.md says how. What a notice must tell is GDPR Art. 13 and PIPL Art. 17, and
Art. 30 where data are sensitive.
"""

from __future__ import annotations

import json
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from edge.consent.canonical import canonical
from edge.consent.dpv import DATA, RECIPIENTS, STORAGE
from edge.errors import SettingsError, ThresholdError

__all__ = [
    "LANGUAGES",
    "OWN_PREFIX",
    "SHIPPED_IDS",
    "AgeBand",
    "Language",
    "Legal",
    "Purpose",
    "PurposeBook",
    "PurposeText",
    "UnknownPurpose",
]

Language = Literal["en", "zh-CN"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

AgeBand = Literal["adult", "14-17", "guardian"]
"""Who decides: an adult, somebody of 14 to 17, or a guardian for a child under 14."""

SHIPPED_IDS = frozenset(
    {"footfall", "size_recommendation", "member_link", "in_store_offers", "purchase_history", "feedback_contact"}
)

OWN_PREFIX = "x_"
"""Begins a shop's own ids, so that a misspelt id is never taken for a new one."""

_PRE_TICKED = frozenset({"checked", "default", "pre_ticked", "preselected", "selected", "ticked"})
_CONTENT_FORMAT = "threshold-notice-1"
_KEPT = "kept"


class UnknownPurpose(ThresholdError):
    """A purpose that the shop does not have."""


def _one_spacing(text: Any) -> Any:
    """The same words, however the file wraps them or the editor encodes them: neither makes a new notice."""
    return " ".join(unicodedata.normalize("NFC", text).split()) if isinstance(text, str) else text


Words = Annotated[str, BeforeValidator(_one_spacing), StringConstraints(min_length=1, max_length=1000)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Ids = Annotated[tuple[Id, ...], Field(min_length=1, max_length=20)]
Article = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,2}(\([0-9a-z]{1,4}\)){0,3}$")]
Articles = Annotated[tuple[Article, ...], Field(min_length=1, max_length=20)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PurposeText(_Table):
    """A notice in one language. Plain text, to be escaped where it is shown.

    `title` is a few words; `summary` one sentence of what is done and what for; `data` which data; `method` how they are
    collected and used (PIPL Art. 17(1)(2)); `retention` how long they stay; `recipients` who gets them; `refusal` what happens
    to who says no: nothing worse (PIPL Art. 16; GDPR Art. 7(4)); `necessity` why sensitive data are needed, and what that
    can mean for the shopper (PIPL Art. 30), `None` where none are.
    """

    title: Words
    summary: Words
    data: Words
    method: Words
    retention: Words
    recipients: Words
    refusal: Words
    necessity: Words | None = None


class Legal(_Table):
    """The articles that a purpose rests on and is bound by, such as `13(1)(1)`, of each law."""

    pipl: Articles
    gdpr: Articles


class Purpose(_Table):
    """What the shop wants to do, and what it says of it.

    `individual`: each shopper is asked; where not, a notice on the door is enough. `separate`: asked on its own and confirmed
    once more (PIPL Art. 29). `minimum_age`: from when a shopper decides alone; below it a guardian does (PIPL Art. 31, GDPR
    Art. 8). `retention_days`: how long the data stay, 0 where they never reach a disk. `consent_days`: how long a yes is
    good for, at least 1 where shoppers are asked. `data`, `recipients`, `storage`: our words for them (see `edge.consent.dpv`)
    or the shop's own; `sensitive` is a part of `data`. `text`: the notice in every language.
    """

    id: Id
    individual: bool
    separate: bool
    minimum_age: int = Field(ge=13, le=18)
    retention_days: int = Field(ge=0, le=3650)
    consent_days: int = Field(default=0, ge=0, le=3650)
    data: Ids
    sensitive: tuple[Id, ...] = ()
    recipients: Ids
    storage: Ids
    legal: Legal
    text: Annotated[Mapping[Language, PurposeText], AfterValidator(MappingProxyType)]

    @classmethod
    def of_content(cls, content: bytes) -> Self:
        """The purpose whose `content` this is: how an older notice is read again.

        Raises:
            ValueError: it is no notice's content.
        """
        fields = json.loads(content)
        if not isinstance(fields, dict) or fields.pop("format", None) != _CONTENT_FORMAT:
            raise ValueError("not the content of a notice")
        return cls.model_validate(fields, context=_KEPT)

    @cached_property
    def content(self) -> bytes:
        """The canonical content: JSON, keys sorted, no spaces, UTF-8. What stands at its default is left out, so that a
        field which a later Threshold adds does not make every notice a new one."""
        fields = self.model_dump(mode="json", exclude_defaults=True, exclude={"text"})
        fields["text"] = {
            language: text.model_dump(mode="json", exclude_defaults=True) for language, text in self.text.items()
        }
        return canonical({"format": _CONTENT_FORMAT, **fields})

    @cached_property
    def version(self) -> str:
        """SHA-256 of `content` in hex: any other word, in any language, is another version and asks again."""
        return sha256(self.content).hexdigest()

    def decides_alone(self, age_band: AgeBand) -> bool:
        """Whether who is of that age says yes without a guardian. `14-17` is enough only where everybody of 14 is."""
        match age_band:
            case "adult":
                return True
            case "14-17":
                return self.minimum_age <= 14
            case "guardian":
                return False

    @model_validator(mode="after")
    def _is_lawful(self, info: ValidationInfo) -> Self:
        # What was shown was shown: a rule of today does not make an older notice unreadable.
        mistakes = [] if info.context == _KEPT else list(self._mistakes())
        if mistakes:
            raise ValueError("\n".join(mistakes))
        return self

    def _mistakes(self) -> Iterator[str]:
        if self.id not in SHIPPED_IDS and not self.id.startswith(OWN_PREFIX):
            yield f"id: no such purpose; one of your own begins with {OWN_PREFIX}"
        for field, known in (("data", DATA), ("recipients", RECIPIENTS), ("storage", STORAGE)):
            words = getattr(self, field)
            for word in words:
                if word not in known and not word.startswith(OWN_PREFIX):
                    yield f"{field}: '{word}' is not known; one of your own begins with {OWN_PREFIX}"
            if len(set(words)) < len(words):
                yield f"{field}: name each once"
        for language in LANGUAGES:
            if language not in self.text:
                yield f"text.{language}: missing"
        if self.individual:
            yield from self._mistakes_of_asking()
        else:
            yield from self._mistakes_of_not_asking()

    def _mistakes_of_asking(self) -> Iterator[str]:
        if self.consent_days < 1:
            yield "consent_days: say for how many days a yes is good"
        if not any(article.startswith("6(1)(a)") for article in self.legal.gdpr):
            yield "legal.gdpr: a purpose that asks rests on 6(1)(a)"
        if not any(article.startswith("13(1)(1)") for article in self.legal.pipl):
            yield "legal.pipl: a purpose that asks rests on 13(1)(1)"
        for word in self.sensitive:
            if word not in self.data:
                yield f"sensitive: '{word}' is not among the data"
        for word in self.data:
            if word in DATA and DATA[word].sensitive and word not in self.sensitive:
                yield f"sensitive: '{word}' is sensitive; name it"
        if self.sensitive and not self.separate:
            yield "separate: sensitive data need separate consent (PIPL Art. 29)"
        for language, text in self.text.items():
            if self.sensitive and text.necessity is None:
                yield f"text.{language}.necessity: say why sensitive data are needed (PIPL Art. 30)"

    def _mistakes_of_not_asking(self) -> Iterator[str]:
        if self.sensitive or any(word in DATA and DATA[word].sensitive for word in self.data):
            yield "individual: sensitive data need each shopper's consent (PIPL Art. 29)"
        if self.separate:
            yield "separate: nobody is asked, so nothing is asked separately"
        if self.consent_days:
            yield "consent_days: nobody is asked, so no yes can end"


class PurposeBook:
    """A shop's purposes, in the order of their file."""

    def __init__(self, purposes: Iterable[Purpose]) -> None:
        self._purposes: Mapping[str, Purpose] = MappingProxyType({purpose.id: purpose for purpose in purposes})

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read and check the purposes at `path`, or those that come with Threshold.

        Raises:
            SettingsError: the file cannot be read or holds mistakes; each names its purpose and field.
        """
        if path is None:
            return cls.parse(files("edge.consent").joinpath("purposes.toml").read_text("utf-8"), source="purposes.toml")
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError as error:
            raise SettingsError(str(path), ("no such file; correct consent.purposes_file",)) from error
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(str(path), (f"cannot be read: {error}",)) from error
        return cls.parse(text, source=str(path))

    @classmethod
    def parse(cls, toml: str, *, source: str) -> Self:
        """The purposes in a TOML text; `source` names it in errors.

        Raises:
            SettingsError: as `load`.
        """
        try:
            raw = tomllib.loads(toml)
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(source, (f"is not TOML: {error}",)) from error
        tables = raw.pop("purposes", None)
        mistakes = [f"{name}: no such table; purposes are [purposes.ID]" for name in raw]
        if not isinstance(tables, dict) or not tables:
            raise SettingsError(source, (*mistakes, "purposes: missing; a purpose is a table [purposes.ID]"))
        purposes = []
        for purpose_id, table in tables.items():
            if isinstance(table, dict) and "id" in table:
                mistakes.append(f"{purpose_id}.id: the table's name is the id; take it out")
            try:
                purposes.append(_purpose(purpose_id, table))
            except ValidationError as error:
                mistakes += _lines(purpose_id, error)
        if mistakes:
            raise SettingsError(source, tuple(mistakes))
        return cls(purposes)

    def __iter__(self) -> Iterator[Purpose]:
        return iter(self._purposes.values())

    def __len__(self) -> int:
        return len(self._purposes)

    def __contains__(self, purpose_id: object) -> bool:
        return purpose_id in self._purposes

    def purpose(self, purpose_id: str) -> Purpose:
        """The purpose with this id.

        Raises:
            UnknownPurpose: the shop has none.
        """
        try:
            return self._purposes[purpose_id]
        except KeyError:
            raise UnknownPurpose(
                "look up purpose", repr(purpose_id)[:60], f"known: {', '.join(self._purposes)}"
            ) from None

    def individual(self) -> tuple[Purpose, ...]:
        """Those that each shopper is asked about."""
        return tuple(purpose for purpose in self if purpose.individual)

    def version(self, purpose_id: str) -> str:
        """The version of a purpose's notice.

        Raises:
            UnknownPurpose: the shop has none.
        """
        return self.purpose(purpose_id).version


def _purpose(purpose_id: str, table: Any) -> Purpose:
    return Purpose.model_validate({**table, "id": purpose_id} if isinstance(table, dict) else table)


def _lines(purpose_id: str, error: ValidationError) -> Iterator[str]:
    """Each mistake as one line that begins with the purpose and the field."""
    for problem in error.errors(include_url=False, include_input=False):
        field = ".".join(str(part) for part in problem["loc"] if part != "[key]")
        if not field and problem["type"] != "value_error":
            yield f"{purpose_id}: a purpose is a table [purposes.ID]"
        elif not field:
            # Those of `_is_lawful`, each with its field in front.
            yield from (f"{purpose_id}.{line}" for line in problem["msg"].removeprefix("Value error, ").split("\n"))
        elif problem["loc"][-1] in _PRE_TICKED:
            yield f"{purpose_id}.{field}: no choice is ticked beforehand (GDPR Recital 32); take it out"
        else:
            yield f"{purpose_id}.{field}: {problem['msg'].removeprefix('Value error, ')}"
