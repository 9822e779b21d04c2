"""What HQ offers to machines: taking a store's events, and saying what it has of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from sqlalchemy import Engine, text
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from cloud_sync.hq.body import read_batch
from cloud_sync.hq.credentials import STORE_ID, is_credential_of, matches
from cloud_sync.hq.figures import summary
from cloud_sync.hq.ingest import ingest
from cloud_sync.hq.settings import HqServiceSettings
from edge.clock import Clock

__all__ = ["Api"]

StoreId = Annotated[str, Path(pattern=f"^{STORE_ID.pattern}$")]


class Api:
    """The endpoints under `/v1`, and `/healthz`. `router` is what an application includes."""

    def __init__(self, engine: Engine, settings: HqServiceSettings, *, clock: Clock) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self.router = APIRouter()
        self.router.add_api_route("/v1/stores/{store}/events", self.take_events, methods=["POST"])
        self.router.add_api_route("/v1/stores/{store}/summary", self.tell_summary, methods=["GET"])
        self.router.add_api_route("/healthz", self.tell_health, methods=["GET"])

    async def take_events(self, store: StoreId, request: Request) -> JSONResponse:
        """Commit a CloudEvents batch of `store` and answer with the receipt, after the commit and never before."""
        await run_in_threadpool(self._authorise, request, store, admin=False)
        limit, timeout_s = self._settings.max_body_bytes, self._settings.body_timeout_s
        batch = await read_batch(request, limit=limit, timeout_s=timeout_s)
        receipt = await run_in_threadpool(ingest, self._engine, store=store, batch=batch, at=self._clock())
        return JSONResponse(receipt.model_dump(mode="json"))

    def tell_summary(self, store: StoreId, request: Request) -> dict[str, Any]:
        """Everything HQ has of `store`, added up; for the store itself or the administrator."""
        self._authorise(request, store, admin=True)
        with self._engine.begin() as connection:
            return summary(connection, store)

    def tell_health(self) -> dict[str, str]:
        """Answers when the database does."""
        with self._engine.begin() as connection:
            connection.execute(text("SELECT 1"))
        return {"status": "ok"}

    def _authorise(self, request: Request, store: str, *, admin: bool) -> None:
        """Let pass who bears the credential of `store`, or the administrator's token where `admin`."""
        scheme, _, presented = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            with self._engine.begin() as connection:
                of_store = is_credential_of(connection, store, presented.strip())
            if of_store or (admin and matches(presented.strip(), self._settings.admin_token_hash)):
                return
        raise HTTPException(401, "unknown store or wrong credential", headers={"www-authenticate": "Bearer"})
