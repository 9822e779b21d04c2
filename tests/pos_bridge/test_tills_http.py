"""Tills that post: heard with their credential, answered after the commit, counted once; hostile ones get nowhere."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from till_shop import CREDENTIAL, TillShop, till_settings

from edge.demo.certificates import write_loopback_certificate
from edge.errors import BusError, SettingsError
from edge.settings import TillsHttpSettings
from edge.till_credentials import TillCredentials
from edge.tills_http import PATH, TillsHttp
from edge.tills_server import TillsServer

URL = PATH.format(till="till-1")
SAMPLES = Path(__file__).parent / "samples"
BEARER = {"Authorization": f"Bearer {CREDENTIAL}"}


def sale(total_minor: int = 1999, **changes: object) -> dict[str, object]:
    return {
        "message_id": str(uuid4()),
        "captured_at": datetime.now(UTC).isoformat(),
        "currency": "EUR",
        "lines": [{"sku": "tee", "quantity": 1, "total_minor": total_minor}],
        "total_minor": total_minor,
        **changes,
    }


@contextmanager
def served(shop: TillShop, where: TillsHttpSettings, **waits: float) -> Iterator[None]:
    tills = TillsHttp(
        shop.settings, door=shop, commits=shop.commits, credentials=TillCredentials.of(shop.settings), **waits
    )
    server = TillsServer(tills.app(), where)
    server.start()
    try:
        yield
    finally:
        server.stop()


@pytest.fixture
def shop(make_shop) -> TillShop:
    return make_shop()


@pytest.fixture
def till(shop: TillShop, free_port) -> Iterator[httpx.Client]:
    """An HTTP client that shows the right credential."""
    where = TillsHttpSettings(enabled=True, port=free_port())
    with (
        served(shop, where),
        httpx.Client(base_url=f"http://127.0.0.1:{where.port}", headers=BEARER, timeout=60) as client,
    ):
        yield client


def test_the_answer_comes_after_the_commit(till: httpx.Client, shop: TillShop) -> None:
    """Whoever hears 200 finds the sale in the database, under the id in the answer."""
    one = sale()
    answer = till.post(URL, json=one)
    assert shop.figures() == {"EUR/sales": 1, "EUR/units": 1, "EUR/total_minor": 1999}
    assert (answer.status_code, answer.json()) == (200, {"message_ids": [one["message_id"]]})


def test_a_repeated_request_counts_once(till: httpx.Client, shop: TillShop) -> None:
    """A till may ask again for as long as it likes, many at once too, and is told the same."""
    one = sale()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: till.post(URL, json=one), range(24)))
    assert {answer.text for answer in answers} == {
        json.dumps({"message_ids": [one["message_id"]]}, separators=(",", ":"))
    }
    assert shop.figures()["EUR/sales"] == 1
    assert shop.counter("repeated") == 23


def test_the_idempotency_key_is_the_id(till: httpx.Client, shop: TillShop) -> None:
    """A sale without an id gets the key's, quoted or not; one with another id is refused."""
    key = str(uuid4())
    bare = {name: value for name, value in sale().items() if name != "message_id"}
    for shown in (key, f'"{key}"'):
        answer = till.post(URL, json=bare, headers={"Idempotency-Key": shown})
        assert answer.json() == {"message_ids": [key]}
    assert shop.figures()["EUR/sales"] == 1
    refused = till.post(URL, json=sale(), headers={"Idempotency-Key": key})
    assert (refused.status_code, refused.json()) == (422, {"reason": "idempotency-key"})
    assert till.post(URL, json=bare, headers={"Idempotency-Key": "one"}).status_code == 400
    assert till.post(URL, json=bare).json() == {"reason": "invalid"}
    assert shop.figures()["EUR/sales"] == 1


def test_poslog_is_posted_the_same_way(till: httpx.Client, shop: TillShop) -> None:
    """Its id is its own, whatever the key, and the same sale by another way counts once."""
    payload = (SAMPLES / "sale_6.xml").read_bytes()
    shop.say(payload)
    shop.acks.wait(1)
    answers = [till.post(URL, content=payload, headers={"Idempotency-Key": str(uuid4())}) for _ in range(2)]
    assert [answer.json() for answer in answers] == [{"message_ids": [str(shop.acks.ids[0])]}] * 2
    assert shop.figures()["EUR/sales"] == 1


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (URL, {"Authorization": ""}),
        (URL, {"Authorization": f"Basic {CREDENTIAL}"}),
        (URL, {"Authorization": f"Bearer {CREDENTIAL[:-1]}"}),
        (URL, {"Authorization": "Bearer"}),
        (PATH.format(till="till-2"), {}),
        (PATH.format(till="till-9"), {}),
        (PATH.format(till="4111111111111111"), {}),
        (PATH.format(till="%2e%2e"), {}),
    ],
)
def test_who_shows_no_right_credential_is_told_nothing(till: httpx.Client, shop: TillShop, path: str, headers) -> None:
    """A till that exists, one that does not, and one without a credential answer alike."""
    answer = till.post(path, json=sale(), headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"reason": "credential"})
    assert answer.headers["www-authenticate"] == "Bearer"
    assert shop.figures() == {}


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        (b"", {}, 422, "empty"),
        (b"{", {}, 422, "not-json"),
        (b"[" * 100_000, {}, 422, "not-json"),
        (b"[]", {"Idempotency-Key": str(uuid4())}, 422, "invalid"),
        (b'{"card": "4111111111111111"}', {}, 422, "invalid"),
        (b"<POSLog>", {}, 422, "not-xml"),
        (b"<!DOCTYPE x><POSLog/>", {}, 422, "unsafe-xml"),
        ("<POSLog/>".encode("utf-16"), {}, 422, "unsafe-xml"),
        (b"<Other/>", {}, 422, "not-poslog"),
        (b"x" * (512 * 1024 + 1), {}, 413, "too-large"),
        (gzip.compress(b"{}"), {"Content-Encoding": "gzip"}, 415, "content-encoding"),
    ],
)
def test_what_cannot_be_taken_is_refused_by_name(
    till: httpx.Client, shop: TillShop, body: bytes, headers: dict[str, str], status: int, reason: str
) -> None:
    """The words are the dead letters', and nothing of the body comes back."""
    answer = till.post(URL, content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (status, {"reason": reason})
    assert shop.figures() == {}


def test_a_body_without_a_length_is_cut_off_at_the_bound(till: httpx.Client) -> None:
    """Whoever says no length is read no further than a sale can need."""
    sent = 0

    def pieces() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(100_000):
            sent += 1
            yield b" " * 65_536

    with contextlib.suppress(httpx.TransportError):  # it may be cut off before it hears the answer
        assert till.post(URL, content=pieces()).status_code == 413
    assert sent < 1_000


def test_a_till_that_dawdles_is_not_waited_for(shop: TillShop, free_port) -> None:
    """A body that does not come ties nothing down."""
    where = TillsHttpSettings(enabled=True, port=free_port())
    with served(shop, where, body_s=0.3), socket.create_connection(("127.0.0.1", where.port), timeout=60) as slow:
        head = f"POST {URL} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {CREDENTIAL}\r\nContent-Length: 9\r\n\r\n{{"
        slow.sendall(head.encode())
        assert slow.recv(4096).startswith(b"HTTP/1.1 408")


def test_without_a_commit_there_is_no_answer_but_try_again(shop: TillShop, free_port) -> None:
    """The writer is stuck: 503; the sale is not lost, and asking again is answered once it is there."""
    where = TillsHttpSettings(enabled=True, port=free_port())
    stuck, go = threading.Event(), threading.Event()
    real = shop.commits.send_ack

    def late_ack(device, ack) -> None:
        stuck.set()
        assert go.wait(60)
        real(device, ack)

    shop.commits.send_ack = late_ack  # the writer waits here, as it would for a disk
    one = sale()
    with (
        served(shop, where, commit_s=0.3),
        httpx.Client(base_url=f"http://127.0.0.1:{where.port}", headers=BEARER) as till,
    ):
        answer = till.post(URL, json=one)
        assert (answer.status_code, answer.json()) == (503, {"reason": "not-committed"})
        assert int(answer.headers["retry-after"]) > 0
        assert stuck.wait(60)
        go.set()
        answers = [till.post(URL, json=one).status_code for _ in range(20)]
    assert 200 in answers
    assert shop.figures()["EUR/sales"] == 1


def test_a_full_queue_is_try_again(make_shop, free_port) -> None:
    """What the writer cannot take is not taken."""
    shop = make_shop()
    shop.put = lambda _received: False
    where = TillsHttpSettings(enabled=True, port=free_port())
    with served(shop, where):
        answer = httpx.post(f"http://127.0.0.1:{where.port}{URL}", json=sale(), headers=BEARER)
    assert (answer.status_code, answer.json()) == (503, {"reason": "busy"})


def test_a_flood_is_slowed_down(make_shop, free_port) -> None:
    """A till has its rate, and is told when it passes it."""
    shop = make_shop(tables={"mqtt": {"max_messages_per_s": 0.02}})  # three at once, by the backlog of 150 s
    where = TillsHttpSettings(enabled=True, port=free_port())
    with (
        served(shop, where),
        httpx.Client(base_url=f"http://127.0.0.1:{where.port}", headers=BEARER, timeout=60) as till,
    ):
        answers = [till.post(URL, json=sale()) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].json() == {"reason": "too-fast"}


def test_it_speaks_tls(make_shop, tmp_path: Path, free_port) -> None:
    """With a certificate the credential goes over no wire in clear."""
    certificate, key = tmp_path / "till.pem", tmp_path / "till.key"
    write_loopback_certificate(certificate=certificate, key=key, now=datetime.now(UTC))
    where = TillsHttpSettings(enabled=True, port=free_port(), certificate_file=certificate, key_file=key)
    with served(make_shop(), where):
        trust = ssl.create_default_context(cafile=str(certificate))
        answer = httpx.post(
            f"https://127.0.0.1:{where.port}{URL}", json=sale(), headers=BEARER, verify=trust, timeout=60
        )
        assert answer.status_code == 200
        with pytest.raises(httpx.TransportError):
            httpx.post(f"http://127.0.0.1:{where.port}{URL}", json=sale(), headers=BEARER)


def test_a_taken_port_is_said_at_once(shop: TillShop) -> None:
    """In one line, before anything runs."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = TillsServer(FastAPI(), TillsHttpSettings(port=taken.getsockname()[1]))
        with pytest.raises(BusError, match="listen for tills"):
            server.start()
    server.stop()


def test_credentials_are_checked_when_they_are_read(tmp_path: Path) -> None:
    """Absent, short, with a blank, or another till's: named, and never shown."""
    two = [{"id": f"till-{n}", "zone": "hall", "credential_file": tmp_path / f"c{n}"} for n in range(5)]
    (tmp_path / "c1").write_text("short-secret")
    (tmp_path / "c2").write_text("a secret with blanks in it, long enough")
    (tmp_path / "c3").write_text("f" * 40)
    (tmp_path / "c4").write_text("f" * 40 + "\n")
    with pytest.raises(SettingsError) as wrong:
        TillCredentials.of(till_settings(tmp_path, tills=two))
    assert len(wrong.value.mistakes) == 4
    assert "secret" not in str(wrong.value)
    assert "fff" not in str(wrong.value)
    good = TillCredentials.of(till_settings(tmp_path))
    assert CREDENTIAL not in repr(good)
    assert good.allow("till-1", shown=CREDENTIAL)
