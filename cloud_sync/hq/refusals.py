"""How HQ says no: one line of JSON, no stack trace, nothing of what was sent."""

from __future__ import annotations

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from cloud_sync.hq.ingest import UnknownStore

__all__ = ["add_refusals"]

log = structlog.get_logger(__name__)


def add_refusals(app: FastAPI) -> None:
    """Give `app` an answer for everything that can go wrong."""

    @app.exception_handler(HTTPException)
    def _refused(_request: Request, error: HTTPException) -> JSONResponse:
        return _no(error.status_code, error.detail, headers=dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    def _unfit_path(_request: Request, _error: RequestValidationError) -> JSONResponse:
        return _no(404, "no such store or page")

    @app.exception_handler(UnknownStore)
    def _store_gone(_request: Request, _error: UnknownStore) -> JSONResponse:
        return _no(401, "unknown store or wrong credential")

    @app.exception_handler(SQLAlchemyError)
    def _not_committed(_request: Request, error: SQLAlchemyError) -> JSONResponse:
        log.error("database_failed", error=str(error).splitlines()[0])
        return _no(503, "the database could not commit; send it again")

    @app.exception_handler(ClientDisconnect)
    def _hung_up(_request: Request, _error: ClientDisconnect) -> JSONResponse:
        return _no(400, "the sender hung up")

    @app.exception_handler(Exception)
    def _our_fault(_request: Request, error: Exception) -> JSONResponse:
        log.error("request_failed", error=type(error).__name__)
        return _no(500, "HQ failed; its log says how")


def _no(status: int, why: str, *, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": why}, status_code=status, headers=headers)
