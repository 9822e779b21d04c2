"""Tokens that stand in every form, so that no other page can send it in the visitor's name (CSRF).

A token is the HMAC of the visit's key: without the key, which only the visitor's browser has, nobody makes one. The cookie
itself is SameSite=Strict, and a browser that names another site as the sender is refused whatever the token.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

__all__ = ["FormTokens"]

_OTHER_SITES = frozenset({"cross-site", "same-site"})


class FormTokens:
    """Makes and checks tokens under a key of this process."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def token(self, visit_key: str) -> str:
        """The token for the forms of one visit."""
        return hmac.new(self._secret, b"form\0" + visit_key.encode(), sha256).hexdigest()

    def fits(self, token: str, *, visit_key: str, fetch_site: str | None) -> bool:
        """Whether a form with `token` comes from a page of that visit; `fetch_site` is the header Sec-Fetch-Site."""
        if not visit_key or fetch_site in _OTHER_SITES:
            return False
        return hmac.compare_digest(token.encode(), self.token(visit_key).encode())
