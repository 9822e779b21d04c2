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
    """Give a command `--config FILE` and `--state DIR`, and hand it the loaded `settings`; their path is the context's `obj`.

    A demo's state folder is a store: `--state DIR` reads `DIR/store.toml`.
    """

    @click.option("--config", type=click.Path(path_type=Path), help="The store's settings file, store.toml.")
    @click.option(
        "--state", type=click.Path(path_type=Path), help="A folder that holds a store.toml, such as a demo's."
    )
    @wraps(command)
    def with_settings(*args: Any, config: Path | None, state: Path | None, **kwargs: Any) -> Any:
        if config is None and state is not None:
            path = state / CONFIG_NAME
        elif config is not None and state is None:
            path = config
        else:
            raise click.UsageError("name the store with either --config FILE or --state DIR")
        settings: Settings = load_settings(path)
        click.get_current_context().obj = path
        return command(*args, settings=settings, **kwargs)

    return with_settings  # type: ignore[return-value]


def example(*lines: str) -> str:
    """An epilog that shows how the command is called."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)
