"""No log line, trace or crash report tells what the sanitiser would hide; a secret shows itself to nobody."""

from __future__ import annotations

import io
import json
import logging
import pickle
import subprocess
import sys
import textwrap

import pytest
import structlog

from edge.privacy.sanitise.logs import SanitisingFilter, crash_hook, log_processor
from edge.privacy.sanitise.secret import Secret

VISA, PHONE = "4111111111111111", "13812345678"


@pytest.fixture
def lines(sanitiser):
    """A structlog logger through the processor, and what it wrote."""
    written = io.StringIO()
    logger = structlog.wrap_logger(
        structlog.PrintLogger(written),
        processors=[
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=True)),
            log_processor(sanitiser),
            structlog.processors.JSONRenderer(),
        ],
    )
    return logger, written


def test_structlog_lines_are_clean(lines):
    """Message, fields, their names, nested ones; the rest of the line is as it was."""
    logger, written = lines
    logger.info(
        f"paid by {VISA}", till="pos-2", amount=12, customer={"phone": PHONE}, **{f"x{VISA}": 1}, raw=VISA.encode()
    )
    line = written.getvalue()
    assert VISA not in line
    assert PHONE not in line
    assert json.loads(line)["till"] == "pos-2"


def test_structlog_exceptions_are_clean(lines):
    """Their text, their causes, and the variables of their frames if somebody has them shown."""
    logger, written = lines
    card = VISA
    try:
        try:
            raise ValueError(f"no card {card}")
        except ValueError as error:
            raise RuntimeError(PHONE) from error
    except RuntimeError:
        logger.exception("failed")
    line = written.getvalue()
    assert "RuntimeError" in line
    assert VISA not in line
    assert PHONE not in line


@pytest.fixture
def records(sanitiser):
    """A standard logger whose only handler has the filter, and what it wrote."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s %(extra_field)s", defaults={"extra_field": ""}))
    handler.addFilter(SanitisingFilter(sanitiser))
    logger = logging.Logger("test")
    logger.addHandler(handler)
    return logger, written


def test_standard_records_are_clean(records):
    """Arguments, extra fields, exceptions, the stack."""
    logger, written = records
    logger.warning("paid by %s in %d", VISA, 3, extra={"extra_field": {"phone": PHONE}}, stack_info=True)
    try:
        raise ValueError(f"no card {VISA}")
    except ValueError:
        logger.exception("failed for %(phone)s", {"phone": PHONE})
    text = written.getvalue()
    assert "paid by [card visa …1111" in text
    assert "ValueError: no card [card visa" in text
    assert VISA not in text
    assert PHONE not in text


def test_a_message_that_does_not_fit_its_arguments_is_clean_too(records):
    """Logging itself would print both to standard error."""
    logger, written = records
    for message in ("paid %d by %d", "paid %(by)s"):
        logger.warning(message, VISA)
    assert VISA not in written.getvalue()
    assert written.getvalue().count("paid") == 2


def test_a_crash_report_is_clean(sanitiser):
    """Message and causes; the trace itself is there."""
    told: list[str] = []
    try:
        raise ValueError(f"no card {VISA}")
    except ValueError as error:
        crash_hook(sanitiser, told.append)(type(error), error, error.__traceback__)
    assert "test_a_crash_report_is_clean" in told[0]
    assert VISA not in told[0]


def test_a_crashing_process_tells_nothing():
    """Its main thread, another thread and a finaliser die of an error that holds a number."""
    program = f"""
        import threading
        from edge.privacy.sanitise.logs import hook_crashes
        from edge.privacy.sanitise.sanitiser import Sanitiser

        hook_crashes(Sanitiser(lambda number: "t_x"))

        class Ends:
            def __del__(self):
                raise ValueError("{VISA} in a finaliser")

        def fail():
            raise ValueError("{VISA} in a thread")

        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        Ends()
        raise ValueError("{VISA} at the end")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert [
        f"[card visa …1111 t_x] {where}" in done.stderr for where in ("in a thread", "in a finaliser", "at the end")
    ] == [True] * 3
    # The last line of source that a trace quotes is the program's own, so only what was raised is looked for.
    assert f"ValueError: {VISA}" not in done.stderr
    assert VISA not in done.stderr


def test_a_secret_shows_nothing(sanitiser):
    """Not in `repr`, `str`, a format, a container, a pickle or a log; it is told when asked."""
    secret = Secret("open sesame")
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r:>30}", "%s" % secret, repr([secret])):  # noqa: UP031
        assert "sesame" not in shown
        assert "Secret(…)" in shown
    assert secret.reveal() == "open sesame"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret)
    assert not hasattr(secret, "__dict__")
    assert sanitiser.clean({"key": secret}).value["key"] is secret
