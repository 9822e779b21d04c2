"""HQ over HTTP: who may, how much, and how it says no."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from cloud_sync.hq import ingest as ingest_module
from cloud_sync.hq.database import open_database


def one(kit: Any, sequence: int = 1, **change: Any) -> dict[str, Any]:
    return kit.event(kit.count(1), sequence) | change


def refused(answer: httpx.Response, status: int) -> str:
    """The reason, having checked that it is one line of JSON and nothing else."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["error"]
    assert "\n" not in answer.text
    assert "Traceback" not in answer.text
    return str(answer.json()["error"])


def test_a_batch_is_answered_with_its_receipt(hq: Any, kit: Any) -> None:
    """The answer says how far, how many new, how many known, and which are rejected."""
    answer = hq.post([one(kit, 1), one(kit, 1), one(kit, 2, source="threshold/stores/s2"), one(kit, 3)])
    assert answer.status_code == 200
    assert answer.json() == {
        "committed_through": f"{3:020d}",
        "new": 2,
        "duplicates": 1,
        "rejected": [{"index": 2, "id": "life-2", "reason": "source is not this store"}],
    }


@pytest.mark.parametrize("credential", ["wrong", "d" * 64, "a" * 64, "é", "c" * 63])
def test_only_the_stores_own_credential_may_send(credential: str, hq: Any, kit: Any) -> None:
    """Neither a wrong one, nor another store's, nor the administrator's."""
    answer = hq.post([one(kit)], authorization=f"Bearer {credential}".encode("latin-1"))
    assert refused(answer, 401) == "unknown store or wrong credential"
    assert hq.summary()["events"] == 0


@pytest.mark.parametrize("header", ["", "Bearer", "Basic czE6Y2NjYw==", "c" * 64])
def test_another_scheme_is_no_credential(header: str, hq: Any, kit: Any) -> None:
    """Only `Bearer CREDENTIAL` is read."""
    refused(hq.post([one(kit)], authorization=header), 401)


def test_an_unknown_store_looks_like_a_wrong_credential(hq: Any, kit: Any) -> None:
    """Nobody can find out by asking which stores there are."""
    unknown = hq.post([one(kit)], store="nowhere")
    wrong = hq.post([one(kit)], credential="wrong")
    assert (unknown.status_code, unknown.content) == (wrong.status_code, wrong.content)


@pytest.mark.parametrize("store", ["S1", "s_1", "x" * 41, "%00", "s1%0a"])
def test_what_is_no_store_id_is_not_found(store: str, hq: Any, kit: Any) -> None:
    """An id that no store can have gets no further."""
    refused(hq.post([one(kit)], store=store), 404)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"not json", b"\xff\xfe\x00", b"[" * 100_000, b'["\\ud800"]', b"[NaN]", b"{}", b"7", b"null"],
)
def test_malformed_json_is_refused_without_quoting_it(body: bytes, hq: Any) -> None:
    """Broken, too deeply nested or no list at all: one clear line."""
    assert refused(hq.post(body), 400) in ("the body is not JSON", "the body is not a list of events")


def test_another_content_type_is_refused(hq: Any, kit: Any) -> None:
    """Only a CloudEvents batch is read; parameters after it are fine, compression is not."""
    refused(hq.post([one(kit)], **{"content-type": "application/json"}), 415)
    refused(hq.post([one(kit)], **{"content-encoding": "gzip"}), 415)
    fine = hq.post([one(kit)], **{"content-type": "application/cloudevents-batch+json; charset=utf-8"})
    assert fine.status_code == 200


def test_too_many_events_are_refused(hq: Any) -> None:
    """The batch limit is the outbox's own."""
    assert "5000" in refused(hq.post([None] * 5001), 413)


def test_an_oversized_body_is_refused_before_it_is_read(hq: Any) -> None:
    """By its stated length, without waiting for what follows."""
    with socket.create_connection(("127.0.0.1", hq.port), timeout=60) as connection:
        connection.sendall(_head(hq, "content-length: 999999999"))
        assert connection.recv(1000).startswith(b"HTTP/1.1 413")


def test_an_oversized_body_of_unstated_length_is_cut_off(tmp_path: Path, kit: Any) -> None:
    """Chunk by chunk, as soon as it is too much."""
    hq = kit.RunningHq(tmp_path / "hq", max_body_bytes=2000)
    hq.add_store("s1")
    hq.start()
    with socket.create_connection(("127.0.0.1", hq.port), timeout=60) as connection:
        connection.sendall(_head(hq, "transfer-encoding: chunked") + b"3e8\r\n" + b" " * 1000 + b"\r\n")
        connection.sendall(b"5dc\r\n" + b" " * 1500 + b"\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 413")
    hq.stop()


def test_a_body_that_dribbles_is_given_up(tmp_path: Path, kit: Any) -> None:
    """A sender who never ends holds no connection for ever."""
    hq = kit.RunningHq(tmp_path / "hq", body_timeout_s=0.2)
    hq.add_store("s1")
    hq.start()
    with socket.create_connection(("127.0.0.1", hq.port), timeout=60) as connection:
        connection.sendall(_head(hq, "content-length: 100") + b"[")
        assert connection.recv(1000).startswith(b"HTTP/1.1 408")
    hq.stop()


def _head(hq: Any, length: str) -> bytes:
    lines = (
        "POST /v1/stores/s1/events HTTP/1.1",
        f"host: 127.0.0.1:{hq.port}",
        f"authorization: Bearer {'c' * 64}",
        "content-type: application/cloudevents-batch+json",
        length,
    )
    return "\r\n".join([*lines, "", ""]).encode()


def test_the_summary_is_for_the_store_itself_and_the_administrator(hq: Any, kit: Any) -> None:
    """Another store's credential reads nothing."""
    hq.post([one(kit)])
    path = "/v1/stores/s1/summary"
    assert hq.get(path, authorization=f"Bearer {kit.CREDENTIAL}").json()["events"] == 1
    assert hq.get(path, authorization=f"Bearer {kit.ADMIN_TOKEN}").json()["events"] == 1
    refused(hq.get(path, authorization=f"Bearer {'d' * 64}"), 401)
    refused(hq.get(path), 401)


def test_without_an_administrator_nobody_is_one(tmp_path: Path, kit: Any) -> None:
    """An unset token is matched by no token, the empty one included."""
    hq = kit.RunningHq(tmp_path / "hq")
    hq.settings = hq.settings.model_copy(update={"admin_token_hash": None})
    hq.add_store("s1")
    hq.start()
    for header in ("Bearer", "Bearer None", f"Bearer {'0' * 64}"):
        refused(hq.get("/v1/stores/s1/summary", authorization=header), 401)
    refused(hq.get("/", authorization="Basic Og=="), 401)
    hq.stop()


def test_health_is_told_to_anybody(hq: Any) -> None:
    """A supervisor needs no credential."""
    assert hq.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize("path", ["/nowhere", "/docs", "/redoc", "/openapi.json", "/v1/stores"])
def test_there_is_nothing_else(path: str, hq: Any) -> None:
    """No documentation pages that load scripts from elsewhere, no list of stores."""
    refused(hq.get(path), 404)
    refused(hq.get("/v1/stores/s1/events"), 405)


def test_a_database_that_cannot_commit_is_a_503_and_loses_nothing(hq: Any, kit: Any) -> None:
    """The store keeps the batch and sends it again; the reply says no more than that."""
    with ExitStack() as stack:
        blocker = open_database(hq.url_of_database)
        stack.callback(blocker.dispose)
        with blocker.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE events RENAME TO events_elsewhere")
        assert refused(hq.post([one(kit)]), 503) == "the database could not commit; send it again"
        with blocker.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE events_elsewhere RENAME TO events")
    assert hq.post([one(kit)]).json()["new"] == 1


def test_our_own_fault_is_one_line_too(hq: Any, kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug shows no stack trace and no payload to whoever asked."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret inner state")

    monkeypatch.setattr(ingest_module, "_keep", broken)
    assert refused(hq.post([one(kit)]), 500) == "HQ failed; its log says how"


def test_the_log_holds_no_payload_no_query_and_no_credential(hq: Any, kit: Any) -> None:
    """One line a request: method, path, status, time."""
    with capture_logs() as logs:
        hq.post([one(kit, 1), {"card": "4111111111111111"}])
        hq.get("/v1/stores/s1/summary?card=4111111111111111", authorization=f"Bearer {kit.CREDENTIAL}")
        hq.get("/%0aforged=line")
        kit.wait_until(lambda: len(logs) == 3, what="the last line, written after the answer")
    requests = [entry for entry in logs if entry["event"] == "request"]
    assert [(entry["method"], entry["path"], entry["status"]) for entry in requests] == [
        ("POST", "/v1/stores/s1/events", 200),
        ("GET", "/v1/stores/s1/summary", 200),
        ("GET", "/?forged?line", 404),
    ]
    assert "4111111111111111" not in str(logs)
    assert kit.CREDENTIAL not in str(logs)


def test_many_stores_at_once_lose_nothing(hq: Any, kit: Any) -> None:
    """Requests that wait for the one SQLite connection are answered, every one."""

    def send(store: str, credential: str) -> None:
        for number in range(1, 21):
            answer = hq.post([kit.event(kit.count(1), number, store=store)], store=store, credential=credential)
            assert answer.status_code == 200

    threads = [threading.Thread(target=send, args=pair) for pair in (("s1", "c" * 64), ("s2", "d" * 64)) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hq.summary("s1")["events"] == hq.summary("s2")["events"] == 20


def test_no_environment_variable_opens_a_way_out(kit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI can export its telemetry by environment alone; HQ has that switched off."""
    with socket.create_server(("127.0.0.1", 0)) as collector:
        collector.settimeout(0.2)
        monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.getsockname()[1]}")
        hq = kit.RunningHq(tmp_path / "hq")
        hq.add_store("s1")
        hq.start()
        assert hq.post([one(kit)]).status_code == 200
        hq.stop()
        with pytest.raises(TimeoutError):
            collector.accept()
