"""`threshold sync` and `threshold hq` as commands: bad use is exit 2 and one line, failure 1 and one line."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from edge.cli import run


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """A command sets up logging for its whole process; here that is the test run's."""
    yield
    structlog.reset_defaults()


def outcome(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of one command line."""
    status = run([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return status, said.out, said.err


def one_line(error: str) -> str:
    assert error.startswith("threshold: ")
    assert error.count("\n") == 1
    return error


Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("command", [["sync"], ["hq"], ["hq", "serve"], ["hq", "add-store"]])
def test_help_shows_an_example(command: list[str], capsys: Capture) -> None:
    """Every command shows how it is called."""
    status, out, _ = outcome(capsys, *command, "--help")
    assert status == 0
    assert "Example:" in out
    assert f"threshold {command[0]}" in out.split("Example:")[1]


def test_serving_elsewhere_needs_tls(tmp_path: Path, capsys: Capture) -> None:
    """Plain HTTP on an address others can reach is bad use."""
    for host in ("::", "192.0.2.1", "192.168.1.4", "hq.example"):
        status, _, err = outcome(capsys, "hq", "serve", "--data", tmp_path, "--host", host)
        assert status == 2
        assert "plain HTTP is for loopback only" in one_line(err)
    assert list(tmp_path.iterdir()) == []


def test_tls_files_go_together(tmp_path: Path, capsys: Capture) -> None:
    """A certificate without its key is bad use."""
    status, _, err = outcome(capsys, "hq", "serve", "--data", tmp_path, "--tls-cert", tmp_path / "cert.pem")
    assert status == 2
    assert "go together" in one_line(err)


def test_unusable_tls_files_are_named(tmp_path: Path, capsys: Capture) -> None:
    """Absent, or no PEM: one line, no stack trace."""
    files = ("--tls-cert", tmp_path / "cert.pem", "--tls-key", tmp_path / "key.pem")
    for content in (None, "no pem"):
        if content is not None:
            for file in files[1::2]:
                Path(file).write_text(content)
        status, _, err = outcome(capsys, "hq", "serve", "--data", tmp_path / "hq", "--port", "0", *files)
        assert status == 1
        assert "cert.pem" in one_line(err)


def test_a_port_that_is_taken_is_named(tmp_path: Path, capsys: Capture) -> None:
    """One line that names the address and the remedy."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, err = outcome(capsys, "hq", "serve", "--data", tmp_path, "--port", str(port))
    assert status == 1
    assert f"127.0.0.1:{port}" in one_line(err)
    assert "--port" in err


def test_a_new_stores_credential_is_printed_once(tmp_path: Path, capsys: Capture) -> None:
    """Alone on standard output, so that a script can take it; a second asking is refused, a renewal is not."""
    status, first, _ = outcome(capsys, "hq", "add-store", "berlin-1", "--data", tmp_path)
    assert (status, len(first)) == (0, 65)
    status, out, err = outcome(capsys, "hq", "add-store", "berlin-1", "--data", tmp_path)
    assert (status, out) == (1, "")
    assert "--renew" in one_line(err)
    status, second, _ = outcome(capsys, "hq", "add-store", "berlin-1", "--data", tmp_path, "--renew")
    assert status == 0
    assert second != first


def test_a_store_whose_credential_cannot_be_written_is_not_added(tmp_path: Path, capsys: Capture) -> None:
    """Else it would be known with a credential that nobody has."""
    (tmp_path / "file").write_text("")
    where = ("--data", tmp_path / "hq")
    status, _, err = outcome(capsys, "hq", "add-store", "s1", *where, "--credential-out", tmp_path / "file" / "x")
    assert status == 1
    assert "write secret" in one_line(err)
    assert outcome(capsys, "hq", "add-store", "s1", *where)[0] == 0


@pytest.mark.parametrize("timezone", ["Nowhere/At-all", "../../etc/passwd", "", "Europe"])
def test_an_unknown_time_zone_is_bad_use(timezone: str, tmp_path: Path, capsys: Capture) -> None:
    """Nothing is added with it."""
    status, _, err = outcome(capsys, "hq", "add-store", "s1", "--data", tmp_path, "--timezone", timezone)
    assert status == 2
    assert "no such time zone" in one_line(err)


@pytest.mark.parametrize(
    ("hq", "missing"),
    [
        ("", ["hq.url", "hq.credential_file"]),
        ('[hq]\nurl = "https://hq.example"', ["hq.credential_file"]),
        ('[hq]\ncredential_file = "c"', ["hq.url"]),
    ],
)
def test_sync_without_an_hq_says_what_is_not_set(hq: str, missing: list[str], tmp_path: Path, capsys: Capture) -> None:
    """Each missing setting in a line of its own, exit status 2."""
    (tmp_path / "store.toml").write_text(f'[store]\nid = "s1"\n{hq}\n')
    status, _, err = outcome(capsys, "sync", "--state", tmp_path)
    assert status == 2
    assert [name for name in missing if name in err] == missing
    assert err.count("\n") == len(missing)


def test_sync_refuses_plain_http_to_elsewhere(tmp_path: Path, capsys: Capture) -> None:
    """Before anything is sent."""
    (tmp_path / "store.toml").write_text('[store]\nid = "s1"\n[hq]\nurl = "http://hq.example"\ncredential_file = "c"\n')
    status, _, err = outcome(capsys, "sync", "--state", tmp_path)
    assert status == 1
    assert "plain http://" in one_line(err)


def test_sync_needs_to_know_the_store(capsys: Capture) -> None:
    """Neither --config nor --state is bad use."""
    assert outcome(capsys, "sync")[0] == 2


def test_help_loads_no_server_and_no_database() -> None:
    """The command module itself loads neither FastAPI nor SQLAlchemy nor httpx."""
    probe = "import cloud_sync.commands, sys; print(sorted({'fastapi', 'sqlalchemy', 'httpx', 'uvicorn'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
