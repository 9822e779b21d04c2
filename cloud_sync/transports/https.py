"""HTTPS to HQ: a CloudEvents batch by POST, a receipt in the answer."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from pydantic import ValidationError

from cloud_sync.loopback import is_loopback
from cloud_sync.receipt import Receipt
from cloud_sync.transports.transport import TransportError
from edge.errors import ThresholdError
from edge.outbox.events import BATCH_CONTENT_TYPE

__all__ = ["HttpsTransport"]

_CONNECT_S = 10.0
_ANSWER_S = 30.0
_MAX_ANSWER_BYTES = 1_000_000
_RETRY_STATUS = frozenset({408, 425, 429})
_OPERATION = "send events to HQ"


class HttpsTransport:
    """Sends to `{url}/v1/stores/{store}/events`. Plain `http://` is for this very machine only."""

    def __init__(self, url: str, *, store: str, credential_file: Path, ca_file: Path | None = None) -> None:
        """Prepare; nothing is sent yet, and the credential is read anew for each batch, so that it can be replaced.

        Raises:
            ThresholdError: `url` is unfit, or `ca_file` cannot be used.
        """
        loopback = _checked(url)
        self._url = f"{url.rstrip('/')}/v1/stores/{store}/events"
        self._credential_file = credential_file
        self._client = httpx.Client(
            verify=_tls(ca_file),
            timeout=httpx.Timeout(_ANSWER_S, connect=_CONNECT_S),
            follow_redirects=False,
            trust_env=not loopback,  # a proxy from the environment must not see what plain http carries
            headers={"content-type": BATCH_CONTENT_TYPE, "accept-encoding": "identity"},
        )

    def send(self, batch: Sequence[bytes]) -> Receipt:
        """Send `batch` and return HQ's receipt; see `Transport.send`."""
        headers = {"authorization": f"Bearer {self._credential()}"}
        try:
            with self._client.stream(
                "POST", self._url, content=b"[" + b",".join(batch) + b"]", headers=headers
            ) as answer:
                body = _read_within(answer, _MAX_ANSWER_BYTES)
        except httpx.HTTPError as error:
            what = f"{self._url}: {str(error) or type(error).__name__}"
            raise TransportError(_OPERATION, what, "it is tried again", retryable=True) from error
        if answer.status_code != httpx.codes.OK:
            raise self._refused(answer, body)
        try:
            return Receipt.model_validate_json(body)
        except ValidationError as error:
            what = f"{self._url} answered with something that is no receipt"
            raise TransportError(_OPERATION, what, "check that hq.url is HQ's own", retryable=True) from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _credential(self) -> str:
        try:
            credential = self._credential_file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise self._no_credential("cannot be read") from error
        if not credential or not credential.isprintable() or " " in credential:
            raise self._no_credential("holds no credential")
        return credential

    def _no_credential(self, what: str) -> TransportError:
        remedy = "put the store's credential there (`threshold hq add-store` makes one)"
        return TransportError(_OPERATION, f"{self._credential_file} {what}", remedy, retryable=False)

    def _refused(self, answer: httpx.Response, body: bytes) -> TransportError:
        status = answer.status_code
        what = f"{self._url} answered {status}{_said(body)}"
        if status in _RETRY_STATUS or status >= 500:
            return TransportError(_OPERATION, what, "it is tried again", retryable=True)
        if answer.is_redirect:
            return TransportError(_OPERATION, what, "set hq.url to HQ's final address", retryable=False)
        if status in (401, 403):
            remedy = f"check store.id and the credential in {self._credential_file}"
            return TransportError(_OPERATION, what, remedy, retryable=False)
        return TransportError(_OPERATION, what, "check that hq.url is HQ's own, and its version", retryable=False)


def _checked(url: str) -> bool:
    """True where `url` is this machine's own loopback."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise ThresholdError("read hq.url", "it is no address", "write https://HOST[:PORT]") from error
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise ThresholdError("read hq.url", "it is no address of an HQ", "write https://HOST[:PORT]")
    if parts.username is not None or parts.password is not None:
        raise ThresholdError("read hq.url", "it holds a user or password", "put the credential into hq.credential_file")
    loopback = is_loopback(host)
    if parts.scheme == "http" and not loopback:
        raise ThresholdError(
            "read hq.url", f"plain http:// to {host} would show the credential", "use https://, or a loopback address"
        )
    return loopback


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file is not None else None)
    except OSError as error:  # SSLError is one of these
        raise ThresholdError(
            "read hq.ca_file", f"{ca_file}: {error.strerror or error}", "give a PEM file of HQ's certificate authority"
        ) from error


def _read_within(answer: httpx.Response, limit: int) -> bytes:
    """The answer's body, cut off past `limit` bytes: HQ's receipts are short, a stranger's page may be endless."""
    body = bytearray()
    for chunk in answer.iter_raw():
        body += chunk
        if len(body) > limit:
            break
    return bytes(body[:limit])


def _said(body: bytes) -> str:
    """HQ's own one-line reason, as far as it is plain text."""
    try:
        said = httpx.Response(200, content=body).json()["error"]
    except (ValueError, KeyError, TypeError):
        return ""
    return f" ({''.join(c for c in said[:160] if c.isprintable())})" if isinstance(said, str) else ""
