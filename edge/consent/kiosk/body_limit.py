"""No form of ours is long: what is longer is refused before it is read."""

from __future__ import annotations

import contextlib

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["BodyLimit"]

_TOO_LARGE = 413


class _TooLong(Exception):
    """More came than was let in."""


class BodyLimit:
    """Middleware that answers 413 to a request whose body is, or turns out to be, longer than `most_bytes`."""

    def __init__(self, app: ASGIApp, *, most_bytes: int) -> None:
        self._app = app
        self._most = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it; a chunked body is counted as it comes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        claimed = Headers(scope=scope).get("content-length", "0")
        if not claimed.isdecimal() or int(claimed[:20]) > self._most:
            await self._refuse(scope, receive, send)
            return
        gate = _Gate(receive, send, most_bytes=self._most)
        with contextlib.suppress(_TooLong):
            await self._app(scope, gate.take, gate.begin)
        if gate.too_long and not gate.began:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = PlainTextResponse("That is longer than anything this page asks for.\n", _TOO_LARGE)
        refusal.headers["connection"] = "close"
        await refusal(scope, receive, send)


class _Gate:
    """Counts what comes in. The app may turn the failure to read into an answer of its own, which is held back."""

    def __init__(self, receive: Receive, send: Send, *, most_bytes: int) -> None:
        self._receive, self._send, self._most = receive, send, most_bytes
        self._taken = 0
        self.began = False

    @property
    def too_long(self) -> bool:
        return self._taken > self._most

    async def take(self) -> Message:
        message = await self._receive()
        self._taken += len(message.get("body", b""))
        if self.too_long:
            raise _TooLong
        return message

    async def begin(self, message: Message) -> None:
        if self.began or not self.too_long:
            self.began = True
            await self._send(message)
