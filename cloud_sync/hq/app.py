"""The HQ service, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from cloud_sync.hq.access_log import AccessLog
from cloud_sync.hq.api import Api
from cloud_sync.hq.database import open_database
from cloud_sync.hq.pages import Pages
from cloud_sync.hq.refusals import add_refusals
from cloud_sync.hq.settings import HqServiceSettings
from edge.clock import Clock, utc_now
from edge.serving.telemetry import NO_TELEMETRY

__all__ = ["build_hq"]


def build_hq(settings: HqServiceSettings, *, clock: Clock = utc_now) -> FastAPI:
    """The HQ application; it holds its database open from now until it is shut down.

    Raises:
        StorageError: the database cannot be opened.
    """
    engine = open_database(settings.database_url)

    @asynccontextmanager
    async def until_shutdown(_app: FastAPI) -> AsyncIterator[None]:
        yield
        engine.dispose()

    app = FastAPI(
        title="Threshold HQ",
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        openapi_url=None,
        lifespan=until_shutdown,
        telemetry=NO_TELEMETRY,
    )
    app.include_router(Api(engine, settings, clock=clock).router)
    app.include_router(Pages(engine, settings, clock=clock).router)
    add_refusals(app)
    app.add_middleware(AccessLog)
    return app
