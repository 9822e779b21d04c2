"""Where tills post that speak no MQTT: one sale a request, answered when it is committed and not before.

The sale goes the way of one on MQTT: same door, same writer, same transaction. `Idempotency-Key` (IETF draft of that name)
is the message's id, so that a till may repeat a request until it is answered. A POSLog has an id of its own making.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol
from uuid import UUID

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic_core import from_json, to_json
from starlette.requests import ClientDisconnect

from edge.bus.payloads import SIZE_LIMITS
from edge.bus.topics import topic_for
from edge.commits import CommitWatch
from edge.errors import MessageRejected
from edge.messages import Ack, Device, PosTransaction, Received
from edge.pos_bridge.reading import is_xml
from edge.serving.headers import SafeHeaders
from edge.serving.telemetry import NO_TELEMETRY
from edge.settings import Settings
from edge.till_credentials import TillCredentials

__all__ = ["PATH", "SaleDoor", "TillsHttp"]

PATH: Final = "/v1/tills/{till}/transactions"
"""Where a till posts."""

_BODY_S = 10.0
_COMMIT_S = 20.0
_RETRY_S = "5"
_STATUS = {"too-large": 413, "too-fast": 429}
_UNREADABLE = 422
_BODY_UNREAD = frozenset({400, 401, 408, 413, 415})


class SaleDoor(Protocol):
    """What the gateway's intake does for a till, whichever way it speaks."""

    def read(self, topic: str, payload: bytes) -> Received:
        """The message, checked.

        Raises:
            MessageRejected: it cannot be taken; its dead letter is on its way.
        """

    def put(self, received: Received) -> bool:
        """Hand it to the writer; False when the queue is full."""


class _Refusal(Exception):
    def __init__(self, status: int, reason: str, **headers: str) -> None:
        super().__init__(reason)
        self.status, self.reason, self.headers = status, reason, headers


class TillsHttp:
    """The app. `door` is called from the event loop's thread alone, so it needs a rate limiter of its own."""

    def __init__(
        self,
        settings: Settings,
        *,
        door: SaleDoor,
        commits: CommitWatch,
        credentials: TillCredentials,
        body_s: float = _BODY_S,
        commit_s: float = _COMMIT_S,
    ) -> None:
        """`body_s` is how long a till may take to send a sale, `commit_s` how long it waits for the commit."""
        self._store = settings.store.id
        self._limit = min(SIZE_LIMITS["transaction"], settings.mqtt.max_payload_bytes)
        self._door = door
        self._commits = commits
        self._credentials = credentials
        self._body_s, self._commit_s = body_s, commit_s

    def app(self) -> FastAPI:
        """The ASGI application."""
        app = FastAPI(title="Threshold tills", docs_url=None, redoc_url=None, openapi_url=None, telemetry=NO_TELEMETRY)
        app.add_middleware(SafeHeaders)
        app.post(PATH, response_model=None)(self.take)
        return app

    async def take(self, till: str, request: Request) -> JSONResponse:
        """Take one sale: 200 and its id once it is committed; 4xx for what no repetition mends; 503 to try again."""
        try:
            self._check_credential(till, request)
            key = _key(request)
            device = Device("pos", till)
            body = await self._body(request)
            received = self._read(device, _with_id(body, key))
            ack = await self._committed(device, received, key=None if is_xml(body) else key)
        except _Refusal as refusal:
            return _answer(refusal)
        return JSONResponse(ack.model_dump(mode="json"))

    def _check_credential(self, till: str, request: Request) -> None:
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        if not self._credentials.allow(till, shown=shown.strip()) or scheme.lower() != "bearer":
            raise _Refusal(401, "credential", **{"WWW-Authenticate": "Bearer"})

    async def _body(self, request: Request) -> bytes:
        """The body, no more of it than a sale can need, and not compressed: a small one could unpack to a large one."""
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise _Refusal(415, "content-encoding")
        declared = request.headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared) > self._limit:
            raise _Refusal(413, "too-large")
        body = bytearray()
        try:
            async with asyncio.timeout(self._body_s):
                async for piece in request.stream():
                    body += piece
                    if len(body) > self._limit:
                        raise _Refusal(413, "too-large")
        except TimeoutError:
            raise _Refusal(408, "too-slow") from None
        except ClientDisconnect:  # nobody is left to hear this
            raise _Refusal(400, "disconnected") from None
        return bytes(body)

    def _read(self, device: Device, payload: bytes) -> Received:
        try:
            return self._door.read(topic_for(self._store, device, "transaction"), payload)
        except MessageRejected as error:
            raise _Refusal(_STATUS.get(error.reason, _UNREADABLE), error.reason) from None

    async def _committed(self, device: Device, received: Received, *, key: UUID | None) -> Ack:
        message = received.message
        assert isinstance(message, PosTransaction)  # noqa: S101  the topic's channel says so
        if key not in {None, message.message_id}:
            raise _Refusal(_UNREADABLE, "idempotency-key")
        with self._commits.expect(device, message.message_id) as committed:
            if not self._door.put(received):
                raise _Refusal(503, "busy", **{"Retry-After": _RETRY_S})
            try:
                await asyncio.wait_for(asyncio.wrap_future(committed), self._commit_s)
            except TimeoutError:
                raise _Refusal(503, "not-committed", **{"Retry-After": _RETRY_S}) from None
        return Ack(message_ids=(message.message_id,))


def _answer(refusal: _Refusal) -> JSONResponse:
    """With a body left unread the connection is over: a server that keeps it would read the rest, however long."""
    closing = {"Connection": "close"} if refusal.status in _BODY_UNREAD else {}
    return JSONResponse({"reason": refusal.reason}, refusal.status, headers=refusal.headers | closing)


def _key(request: Request) -> UUID | None:
    shown = request.headers.get("idempotency-key")
    if shown is None:
        return None
    try:
        return UUID(shown.strip().strip('"'))
    except ValueError:
        raise _Refusal(400, "idempotency-key") from None


def _with_id(payload: bytes, key: UUID | None) -> bytes:
    """A JSON sale without an id gets the key's; anything else stays as it is."""
    if key is None or not payload.lstrip().startswith(b"{"):
        return payload
    try:
        fields: Any = from_json(payload)
    except ValueError:
        return payload
    return payload if "message_id" in fields else to_json({**fields, "message_id": str(key)})
