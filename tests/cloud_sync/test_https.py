"""HTTPS: whom it trusts, what it shows, what it makes of strange answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from structlog.testing import capture_logs

from cloud_sync.transports.https import HttpsTransport
from cloud_sync.transports.transport import TransportError
from edge.errors import ThresholdError


class Answer(NamedTuple):
    status: int = 200
    body: bytes = b""
    location: str | None = None


class Stranger:
    """An HTTP server that answers anything with `answer`, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer = Answer()
        self.asked: list[tuple[str, dict[str, str]]] = []
        stranger = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                stranger.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                self.send_response(stranger.answer.status)
                if stranger.answer.location:
                    self.send_header("location", stranger.answer.location)
                self.send_header("content-length", str(len(stranger.answer.body)))
                self.end_headers()
                self.wfile.write(stranger.answer.body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    with closing(Stranger()) as made:
        yield made


@pytest.fixture
def credential_file(tmp_path: Path) -> Path:
    file = tmp_path / "hq.credential"
    file.write_text("s3cret-credential\n")
    return file


def send_to(url: str, credential_file: Path, **more: Any) -> Any:
    with closing(HttpsTransport(url, store="s1", credential_file=credential_file, **more)) as transport:
        return transport.send([b'{"payload": "shh"}'])


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hq.example", "would show the credential"),
        ("http://192.168.1.4:8443", "would show the credential"),
        ("http://localhost.example", "would show the credential"),
        ("http://127.0.0.1@hq.example", "user or password"),
        ("https://user:pw@hq.example", "user or password"),
        ("ftp://hq.example", "no address of an HQ"),
        ("hq.example", "no address of an HQ"),
        ("https://hq.example/?a=1", "no address of an HQ"),
        ("https://hq.example:99999", "no address"),
        ("https://[::1", "no address"),
    ],
)
def test_an_unfit_address_is_refused_at_once(url: str, why: str, credential_file: Path) -> None:
    """Plain HTTP leaves this machine never, and an address holds no secret; the error shows none either."""
    with pytest.raises(ThresholdError, match=why) as caught:
        HttpsTransport(url, store="s1", credential_file=credential_file)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://hq.example/base/"]
)
def test_loopback_may_be_plain(url: str, credential_file: Path) -> None:
    """On this very machine plain HTTP will do."""
    HttpsTransport(url, store="s1", credential_file=credential_file).close()


def test_the_request_is_a_cloudevents_batch_with_a_bearer_credential(stranger: Stranger, credential_file: Path) -> None:
    """Path, content type and credential are what HQ's interface says."""
    stranger.answer = Answer(body=b'{"committed_through": "%020d", "new": 1, "duplicates": 0}' % 1)
    assert send_to(stranger.url + "/", credential_file).new == 1
    path, headers = stranger.asked[0]
    assert path == "/v1/stores/s1/events"
    assert headers["content-type"] == "application/cloudevents-batch+json"
    assert headers["authorization"] == "Bearer s3cret-credential"


def test_a_redirect_is_not_followed(stranger: Stranger, credential_file: Path) -> None:
    """The credential goes to the address that was configured and nowhere else."""
    stranger.answer = Answer(307, location=stranger.url + "/elsewhere")
    with pytest.raises(TransportError, match="final address") as caught:
        send_to(stranger.url, credential_file)
    assert not caught.value.retryable
    assert len(stranger.asked) == 1


@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        (400, False),
        (401, False),
        (403, False),
        (404, False),
        (408, True),
        (413, False),
        (429, True),
        (500, True),
        (503, True),
    ],
)
def test_an_answers_status_says_whether_waiting_helps(
    status: int, retryable: bool, stranger: Stranger, credential_file: Path
) -> None:
    """What HQ may get over by itself is retryable; what somebody must mend is not. HQ's own word is passed on."""
    stranger.answer = Answer(status, b'{"error": "because\\u0007"}')
    with pytest.raises(TransportError, match=rf"answered {status} \(because\)") as caught:
        send_to(stranger.url, credential_file)
    assert caught.value.retryable is retryable


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Welcome to our guest network</html>",
        b"[]",
        b'{"committed_through": "7", "new": 1, "duplicates": 0}',
        b'{"committed_through": "00000000000000000001", "new": -1, "duplicates": 0}',
        b"{" * 2_000_000,
        b"\xff\xfe",
    ],
)
def test_what_is_no_receipt_is_not_taken_for_one(body: bytes, stranger: Stranger, credential_file: Path) -> None:
    """A captive portal's friendly 200 acknowledges nothing."""
    stranger.answer = Answer(body=body)
    with pytest.raises(TransportError, match="no receipt"):
        send_to(stranger.url, credential_file)


@pytest.mark.parametrize("content", [None, "", "two words", "línea", "line\nbreak"])
def test_an_unusable_credential_file_is_named(content: str | None, stranger: Stranger, tmp_path: Path) -> None:
    """It may be written later, so it is an error of the attempt and not of the start; nothing is sent."""
    file = tmp_path / "credential"
    if content is not None:
        file.write_text(content)
    with pytest.raises(TransportError, match="put the store's credential there") as caught:
        send_to(stranger.url, file)
    assert not caught.value.retryable
    assert stranger.asked == []


def test_a_replaced_credential_is_used_without_a_restart(stranger: Stranger, credential_file: Path) -> None:
    """Credentials are renewed while the shop is open."""
    stranger.answer = Answer(503)
    with closing(HttpsTransport(stranger.url, store="s1", credential_file=credential_file)) as transport:
        for credential in ("first", "second"):
            credential_file.write_text(credential)
            with pytest.raises(TransportError):
                transport.send([])
    assert [headers["authorization"] for _, headers in stranger.asked] == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("status", [200, 401, 503])
def test_neither_credential_nor_payload_is_logged_or_in_an_error(
    status: int, stranger: Stranger, credential_file: Path
) -> None:
    """An error may end in a log and on the dashboard."""
    stranger.answer = Answer(status, b"Bearer s3cret-credential")
    with capture_logs() as logs, pytest.raises(TransportError) as caught:
        send_to(stranger.url, credential_file)
    for secret in ("s3cret", "shh"):
        assert secret not in str(caught.value) + str(logs)


class Identity(NamedTuple):
    ca: Path
    certificate: Path
    key: Path


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """A certificate authority and a server certificate for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    ca_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("Test CA", "Test CA", ca_key, ca_key, ca=True)
    server = _certificate("127.0.0.1", "Test CA", server_key, ca_key, ca=False)
    made = Identity(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    made.ca.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    made.certificate.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return made


def _certificate(
    subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    name, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (subject, issuer))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    )
    return made.sign(signer, hashes.SHA256())


@pytest.fixture
def hq_with_tls(tmp_path: Path, kit: Any, identity: Identity) -> Iterator[Any]:
    hq = kit.RunningHq(tmp_path / "hq")
    hq.add_store("s1")
    hq.start(ssl_certfile=identity.certificate, ssl_keyfile=identity.key)
    yield hq
    hq.stop()


def test_the_configured_authority_is_trusted(hq_with_tls: Any, identity: Identity, tmp_path: Path, kit: Any) -> None:
    """With `ca_file`, HQ's own authority vouches for it."""
    credential = tmp_path / "credential"
    credential.write_text(kit.CREDENTIAL)
    url = f"https://127.0.0.1:{hq_with_tls.port}"
    with closing(HttpsTransport(url, store="s1", credential_file=credential, ca_file=identity.ca)) as transport:
        assert transport.send([json.dumps(kit.event(kit.count(1), 1)).encode()]).new == 1


def test_an_unknown_authority_is_not(hq_with_tls: Any, credential_file: Path) -> None:
    """Without it the connection is refused before the credential is shown."""
    with pytest.raises(TransportError, match="certificate verify failed") as caught:
        send_to(f"https://127.0.0.1:{hq_with_tls.port}", credential_file)
    assert caught.value.retryable


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_unusable_ca_file_is_refused_at_once(content: str | None, credential_file: Path, tmp_path: Path) -> None:
    """A missing authority must not end in trusting everybody."""
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_text(content)
    with pytest.raises(ThresholdError, match=r"hq\.ca_file"):
        HttpsTransport("https://hq.example", store="s1", credential_file=credential_file, ca_file=ca_file)
