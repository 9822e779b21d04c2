"""Acts of consent as the ledger writes them, made by hypothesis, and a shop to record them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from edge.consent.controller import Controller
from edge.consent.ledger import Entry, rfc3339
from edge.consent.purposes import LANGUAGES, PurposeBook
from edge.consent.recorder import Recorder
from edge.consent.subject import subject_of

_ROOT = Path(__file__).resolve().parents[2]
_GUIDE = (_ROOT / "docs" / "purposes.md").read_text("utf-8").split("```toml\n")[2].split("```")[0]
_SHIPPED = (_ROOT / "edge" / "consent" / "purposes.toml").read_text("utf-8")

BOOK = PurposeBook.parse(_SHIPPED + _GUIDE, source="test")
"""The shipped purposes, and the own one of the guide."""

NOTICES = {purpose.version: purpose.content for purpose in BOOK}
SHOP = Controller(
    name="Example Retail",
    address="1 Example Road",
    contact="privacy@example.com",
    store="Berlin 1",
    jurisdictions=("EU",),
    authority="the authority of Berlin",
    withdraw_url="https://shop.example",
)
RECORDER = Recorder(controller=SHOP, notice=NOTICES.get)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@st.composite
def recorders(draw: st.DrawFn) -> Recorder:
    """Shops of any name and law, with and without an authority or an address for phones."""
    controller = Controller(
        name=draw(_TEXT),
        address=draw(_TEXT),
        contact=draw(_TEXT),
        store=draw(_TEXT),
        jurisdictions=tuple(draw(st.lists(st.sampled_from(["CN", "EU", "GB"]), min_size=1, max_size=3, unique=True))),
        authority=draw(st.none() | _TEXT),
        withdraw_url=draw(st.none() | st.just("https://shop.example")),
    )
    return Recorder(controller=controller, notice=NOTICES.get)


@st.composite
def acts(draw: st.DrawFn) -> tuple[Entry, ...]:
    """The entries of one act with at least one decision."""
    kind = draw(st.sampled_from(["choices", "withdrawn", "expired"]))
    purposes = draw(st.lists(st.sampled_from(BOOK.individual()), min_size=1, unique_by=lambda purpose: purpose.id))
    base: dict[str, Any] = {
        "at": draw(st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))),
        "act": str(draw(st.uuids(version=4))),
        "subject": subject_of(draw(st.binary(min_size=16, max_size=16))),
    }
    said: dict[str, Any] = {"channel": draw(st.sampled_from(["kiosk", "phone", "till"]))}
    rows: list[tuple[str, str | None, str | None, dict[str, Any]]] = []
    if kind == "choices":
        band, language = draw(st.sampled_from(["adult", "14-17", "guardian"])), draw(st.sampled_from(LANGUAGES))
        told = {**said, "language": language}
        rows.append(("shown", None, None, {"notices": {one.id: one.version for one in BOOK.individual()}, **told}))
        if band == "guardian":
            rows.append(("guardian", None, None, {"relation": draw(st.sampled_from(["parent", "guardian"])), **said}))
        for purpose in purposes:
            if draw(st.booleans()):
                until = base["at"] + timedelta(days=purpose.consent_days, seconds=draw(st.sampled_from([0, 1])))
                granted = {"until": rfc3339(until), "age_band": band, **told}
                rows.append(
                    ("granted", purpose.id, purpose.version, granted | ({"separate": True} if purpose.separate else {}))
                )
            else:
                rows.append(("refused", purpose.id, purpose.version, told))
        rows.append(("receipt", None, None, said))
    else:
        channel = {"channel": "box"} if kind == "expired" else said
        rows += [(kind, purpose.id, purpose.version, channel) for purpose in purposes]
    first = draw(st.integers(1, 10**9))
    return tuple(
        Entry(seq=first + number, kind=what, purpose=purpose, notice=notice, details=details, **base)  # type: ignore[arg-type]
        for number, (what, purpose, notice, details) in enumerate(rows)
    )
