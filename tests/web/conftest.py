"""A shop with known facts, and its dashboard on a real port."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from edge.facts import Fact
from edge.serving.listening import listen
from edge.settings import Settings
from edge.storage.store import Store
from edge.windows import fold

NOON = datetime(2025, 6, 3, 12, 0, tzinfo=UTC)


@dataclass
class ManualClock:
    """A clock that stands still until it is set."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings of a shop with two doors, of which tables may be replaced."""

    def make(**tables: Any) -> Settings:
        shop: dict[str, Any] = {
            "store": {"id": "linden", "name": "Linden", "timezone": "UTC"},
            "state": tmp_path / "state",
            "hq": {"url": "https://hq.invalid"},
            "zones": [{"id": "entrance", "name": "Entrance", "kind": "entrance", "notice_attested_on": "2025-06-01"}],
            "cameras": [
                {"id": name, "zone": "entrance", "lines": [{"name": "door", "points": [[0, 0.5], [1, 0.5]]}]}
                for name in ("east", "west")
            ],
            "tills": [{"id": "till-1", "zone": "entrance"}],
        }
        return Settings.model_validate(shop | tables)

    return make


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    return make_settings()


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    store = Store(settings.store_db)
    yield store
    store.close()


@pytest.fixture
def remember(store: Store, settings: Settings) -> Callable[[Iterable[Fact]], None]:
    """Store facts as the gateway does."""

    def remember(facts: Iterable[Fact]) -> None:
        with store.transaction() as tx:
            tx.add(fold(facts, length_s=settings.windows.local_s))

    return remember


@pytest.fixture
def serve() -> Callable[[FastAPI], Any]:
    """Serve an app on a free loopback port while the block runs; yields its address."""

    @contextmanager
    def serve(app: FastAPI) -> Iterator[str]:
        with listen("127.0.0.1", 0) as listener:
            server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none", lifespan="off"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                server.should_exit = True
                thread.join()

    return serve
