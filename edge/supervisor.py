"""Runs processes side by side, restarts what falls over, and stops them all in reverse order."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

__all__ = ["ProcessSpec", "Supervisor", "run_until_signal", "threshold_command"]

log = structlog.get_logger(__name__)

_PR_SET_PDEATHSIG = 1
_WATCH_S = 0.1
_FIRST_RESTART_S = 0.2
_LONGEST_RESTART_S = 10.0
_HEALTHY_AFTER_S = 10.0
_STOP_S = 20.0


def threshold_command(*arguments: str) -> tuple[str, ...]:
    """The command line of a `threshold` subcommand under this very interpreter."""
    return (sys.executable, "-m", "edge.cli", *arguments)


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process: its name, its command line, and whether it is started again when it ends."""

    name: str
    command: tuple[str, ...]
    restart: bool = True


@dataclass(slots=True)
class _Running:
    spec: ProcessSpec
    process: subprocess.Popen[bytes]
    started_s: float
    delay_s: float = _FIRST_RESTART_S
    restart_at_s: float | None = None
    restarts: int = field(default=0)


class Supervisor:
    """Owns child processes. Their standard error goes to `state/logs/NAME.log`, their process id to `state/run/NAME.pid`."""

    def __init__(self, state: Path) -> None:
        self._logs = state / "logs"
        self._run = state / "run"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._run.mkdir(parents=True, exist_ok=True)
        self._running: dict[str, _Running] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._watcher.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_all()

    def start(self, spec: ProcessSpec) -> None:
        """Start a process."""
        with self._lock:
            self._running[spec.name] = _Running(spec, self._spawn(spec), time.monotonic())

    def alive(self, name: str) -> bool:
        """Whether the process runs now."""
        with self._lock:
            return name in self._running and self._running[name].process.poll() is None

    def exit_status(self, name: str) -> int | None:
        """How the process ended, or None while it runs."""
        with self._lock:
            return self._running[name].process.poll()

    def restarts(self) -> dict[str, int]:
        """How often each process had to be started again."""
        with self._lock:
            return {name: running.restarts for name, running in self._running.items()}

    def stop(self, name: str) -> None:
        """Ask one process to end (SIGTERM), wait, and kill it if it does not."""
        with self._lock:
            running = self._running.pop(name, None)
        if running is not None:
            _end(running.process)
            (self._run / f"{name}.pid").unlink(missing_ok=True)

    def stop_all(self) -> None:
        """Stop everything, last started first."""
        for name in reversed(list(self._running)):
            self.stop(name)
        # Last: a child that the watcher restarted gets its parent-death signal when that thread ends.
        self._stopping.set()
        self._watcher.join()

    def log_tail(self, name: str, *, lines: int = 5) -> str:
        """The last lines a process wrote to its log."""
        path = self._logs / f"{name}.log"
        text = path.read_text("utf-8", "replace") if path.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def _spawn(self, spec: ProcessSpec) -> subprocess.Popen[bytes]:
        with (self._logs / f"{spec.name}.log").open("ab") as errors:
            process = subprocess.Popen(
                spec.command,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,  # a Ctrl-C in the terminal is for the supervisor alone
                preexec_fn=_die_with_parent,  # noqa: PLW1509  one system call, no lock is taken
            )
        (self._run / f"{spec.name}.pid").write_text(str(process.pid))
        return process

    def _watch(self) -> None:
        while not self._stopping.wait(_WATCH_S):
            with self._lock:
                for running in self._running.values():
                    self._look_after(running)

    def _look_after(self, running: _Running) -> None:
        status = running.process.poll()
        if status is None or not running.spec.restart:
            return
        now = time.monotonic()
        if running.restart_at_s is None:
            if now - running.started_s > _HEALTHY_AFTER_S:
                running.delay_s = _FIRST_RESTART_S
            running.restart_at_s = now + running.delay_s
            running.delay_s = min(2 * running.delay_s, _LONGEST_RESTART_S)
            log.warning("process.ended", process=running.spec.name, status=status)
        elif now >= running.restart_at_s:
            running.process = self._spawn(running.spec)
            running.started_s = now
            running.restart_at_s = None
            running.restarts += 1


def run_until_signal(state: Path, specs: Iterable[ProcessSpec]) -> None:
    """Run `specs` until SIGTERM or SIGINT, then stop them."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with Supervisor(state) as supervisor:
        for spec in specs:
            supervisor.start(spec)
        ended.wait()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        log.warning("process.killed", pid=process.pid)
        process.kill()
        process.wait()


def _die_with_parent() -> None:
    """Linux: a child gets SIGTERM when its supervisor is gone, however it went (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
