"""Bytes as text and back, whatever they are: nothing is lost on the way."""

from __future__ import annotations

__all__ = ["decoded", "encoded"]

_UTF_8 = "utf-8"


def decoded(raw: bytes) -> tuple[str, str]:
    """The text that `raw` most likely is, and its encoding, for `encoded`: UTF-16 by its mark or its zeros, else UTF-8."""
    for encoding in _guesses(raw):
        try:
            return raw.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return raw.decode(_UTF_8, "surrogateescape"), _UTF_8


def encoded(text: str, encoding: str) -> bytes:
    """The bytes of a text that `decoded` gave."""
    return text.encode(encoding, "surrogateescape" if encoding == _UTF_8 else "strict")


def _guesses(raw: bytes) -> list[str]:
    if b"\x00" not in raw or len(raw) % 2:
        return []
    even, odd = raw[::2].count(0), raw[1::2].count(0)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ["utf-16-le" if raw[0] == 0xFF else "utf-16-be"]
    half = len(raw) // 4
    return ["utf-16-le"] * (odd > half >= even) + ["utf-16-be"] * (even > half >= odd)
