"""A shop's kiosk and somebody in front of it, for the tests: pages, forms, the QR code as a phone reads it."""

from __future__ import annotations

import re
import sqlite3
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import cv2
import httpx
import numpy as np

from edge.consent.purposes import PurposeBook
from edge.consent.registry import ConsentRegistry
from edge.consent.subject import Subject, subject_of
from edge.privacy.keyring import Keyring
from edge.sealed.recipient import RecipientKey
from edge.settings import Settings

__all__ = ["NOON", "Kiosk", "ManualClock", "Visitor", "read_qr"]

NOON = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
_TOKEN = re.compile(r'name="token" value="([0-9a-f]{64})"')


@dataclass
class ManualClock:
    """A clock that stands still until it is set."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Kiosk:
    """The pages of a shop, and what lies behind them."""

    address: str
    settings: Settings
    registry: ConsentRegistry
    purposes: PurposeBook
    clock: ManualClock
    hq_key: RecipientKey
    keyring: Keyring = field(repr=False)
    stack: ExitStack = field(repr=False)
    moods: list[int] = field(default_factory=list)
    progress: list[str] = field(default_factory=lambda: ["here"])

    def link(self, *purposes: str) -> str:
        """The path of the own page of somebody who has just allowed these, as the QR code on the receipt says it."""
        visitor = self.visitor()
        visitor.allow(*purposes)
        text = read_qr(visitor.get("/here/receipt.svg").text)
        assert text.startswith("http://shop.example:8081/my/")
        return text.removeprefix("http://shop.example:8081")

    def rows(self, query: str) -> list[Any]:
        """What the registry's file holds, read from outside."""
        with closing(sqlite3.connect(f"file:{self.settings.consent_db}?mode=ro", uri=True)) as sql:
            return sql.execute(query).fetchall()

    def only_subject(self) -> Subject:
        """The one subject that the registry knows."""
        ((raw,),) = self.rows("SELECT subject FROM subjects")
        return subject_of(raw)

    def visitor(self, **headers: str) -> Visitor:
        """Somebody with a browser of their own."""
        client = httpx.Client(base_url=self.address, trust_env=False, headers={"Accept-Language": "en", **headers})
        return Visitor(self.stack.enter_context(client))


class Visitor:
    """A browser without a screen: keeps cookies, sends the forms of the page it has."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.page = ""
        self.token = ""

    def get(self, path: str) -> httpx.Response:
        """Open a page, and go where it leads."""
        answer = self.client.get(path, follow_redirects=True)
        self._see(answer)
        return answer

    def send(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form of the present page, and go where it leads."""
        answer = self.client.post(path, data={"token": self.token, **fields}, follow_redirects=True)
        self._see(answer)
        return answer

    def post(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form without the present page's token, and stay at the answer."""
        return self.client.post(path, data=fields)

    def allow(self, *purposes: str, age: str = "adult", base: str = "/here") -> httpx.Response:
        """Say yes to these, all the way to the receipt; a separate purpose is confirmed."""
        self.get(f"{base}/choose")
        answer = self.send(f"{base}/choose", allow=list(purposes), answer="chosen")
        answer = self.send(f"{base}/age", age=age)
        while answer.url.path == f"{base}/confirm":
            purpose = re.findall(r'name="purpose" value="(\w+)"', self.page)[0]
            answer = self.send(f"{base}/confirm", purpose=purpose, answer="yes")
        return answer

    @property
    def code(self) -> str:
        """The receipt code on the page."""
        return re.findall(r'class="code">([0-9A-Z]{4}-[0-9A-Z]{4})<', self.page)[0]

    def _see(self, answer: httpx.Response) -> None:
        self.page = answer.text
        found = _TOKEN.search(answer.text)
        self.token = found[1] if found else self.token


def read_qr(svg: str) -> str:
    """What a phone's camera reads from the picture, drawn here square by square."""
    side = int(re.findall(r'viewBox="0 0 (\d+) \d+"', svg)[0])
    picture = np.full((side, side), 255, np.uint8)
    x = y = 0.0
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", re.findall(r'<path[^>]* d="([^"]+)"', svg)[-1]):
        values = [float(one) for one in numbers.split()]
        if command == "h":
            picture[int(y), int(x) : int(x + values[0])] = 0
            x += values[0]
        else:
            x, y = values if command == "M" else (x + values[0], y + values[1])
    for size in range(4, 16):  # OpenCV's reader misses some pictures at some sizes; a phone moves closer, too
        enlarged = cv2.resize(picture, None, fx=size, fy=size, interpolation=cv2.INTER_NEAREST)
        for reader in (cv2.QRCodeDetector(), cv2.QRCodeDetectorAruco()):
            text, *_ = reader.detectAndDecode(enlarged)
            if text:
                return str(text)
    return ""
