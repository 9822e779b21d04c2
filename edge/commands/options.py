"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from edge.settings import Settings, load_settings

__all__ = ["CONFIG_NAME", "example", "store_option"]

CONFIG_NAME = "store.toml"
F = TypeVar("F", bound=Callable[..., Any])


def store_option(command: F) -> F:
    """Give a command `--config FILE` and `--state DIR`, and hand it the loaded `settings`. A demo's state folder is a store."""

    @click.option("--config", type=click.Path(path_type=Path), help="The store's settings file, store.toml.")
    @click.option(
        "--state", type=click.Path(path_type=Path), help="A state folder that holds a store.toml, such as a demo's."
    )
    @wraps(command)
    def with_settings(*args: Any, config: Path | None, state: Path | None, **kwargs: Any) -> Any:
        if (config is None) == (state is None):
            raise click.UsageError("name the store with either --config FILE or --state DIR")
        settings: Settings = load_settings(config if config is not None else _config_in(state))
        return command(*args, settings=settings, **kwargs)

    return with_settings  # type: ignore[return-value]


def _config_in(state: Path | None) -> Path:
    assert state is not None  # noqa: S101  checked by the caller
    return state / CONFIG_NAME


def example(*lines: str) -> str:
    """An epilog that shows how the command is called."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)
