"""The `threshold` command. Each subcommand lives in its own module and is imported when it is called."""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import entry_points

import click

from edge.errors import SettingsError, ThresholdError

__all__ = ["main", "threshold"]

_COMMANDS = {
    "broker": "edge.commands.broker:broker",
    "camera": "edge.commands.camera:camera",
    "check": "edge.commands.store:check",
    "consent": "edge.commands.consent:consent",
    "count": "edge.commands.count:count",
    "demo": "edge.commands.demo:demo",
    "gateway": "edge.commands.processes:gateway",
    "init": "edge.commands.store:init",
    "keys": "edge.commands.keys:keys",
    "models": "edge.commands.models:models",
    "run": "edge.commands.processes:run",
    "simulate": "edge.commands.simulate:simulate",
    "status": "edge.commands.store:status",
    "web": "edge.commands.processes:web",
}
"""What the edge brings. Other packages add theirs by the entry point group `threshold.commands`."""

_EXIT_BAD_USE = 2
_EXIT_FAILED = 1


class _LazyGroup(click.Group):
    """Imports a subcommand only when it is asked for: `threshold --help` loads neither OpenCV nor FastAPI."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*_COMMANDS, *(point.name for point in entry_points(group="threshold.commands"))})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _COMMANDS:
            module, _, name = _COMMANDS[cmd_name].partition(":")
            command = getattr(importlib.import_module(module), name)
        else:
            found = [point for point in entry_points(group="threshold.commands") if point.name == cmd_name]
            if not found:
                return None
            command = found[0].load()
        assert isinstance(command, click.Command)  # noqa: S101  our own table
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="threshold", prog_name="threshold")
def threshold() -> None:
    r"""Count without watching: an in-store edge gateway.

    \b
    Example:
      threshold demo --duration 60
    """


def main() -> None:
    """Run the command line. Bad use exits 2 with one line, a failure 1 with one line."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit status; every expected error is one line on standard error."""
    try:
        result = threshold.main(arguments, prog_name="threshold", standalone_mode=False)
    except click.exceptions.Abort:
        return 130
    except click.ClickException as error:
        click.echo(f"threshold: {' '.join(error.format_message().split())}{_hint(error)}", err=True)
        return _EXIT_BAD_USE
    except SettingsError as error:
        for mistake in error.mistakes:
            click.echo(f"threshold: {error.operation}: {mistake}", err=True)
        return _EXIT_BAD_USE
    except ThresholdError as error:
        click.echo(f"threshold: {error}", err=True)
        return _EXIT_FAILED
    except KeyboardInterrupt:
        return 130
    return result if isinstance(result, int) else 0


def _hint(error: click.ClickException) -> str:
    path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "threshold"
    return f" (see `{path} --help`)"


if __name__ == "__main__":
    main()
