"""No web app of this box tells anybody outside what it does."""

from __future__ import annotations

from typing import Final

from fastapi.telemetry import TelemetryConfig

__all__ = ["NO_TELEMETRY"]

NO_TELEMETRY: Final = TelemetryConfig(
    tracing=False, metrics=False, logs=False, operation_spans=False, auto_configure=False
)
"""FastAPI exports traces and exception texts where an environment variable tells it to; no such way out here."""
