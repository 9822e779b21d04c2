"""The reference till for makers to copy: with broker, gateway and till killed in the middle, every sale counts once."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from gateway_process import PATIENCE_S, GatewayProcess, until

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "firmware_configs" / "reference_till.py"


class ReferenceTill:
    """The program as a maker would run it."""

    def __init__(self, kept: Path, *, port: int) -> None:
        self._kept, self._port = kept, port
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it on the sales that it has kept."""
        options = ["--store", "shop-1", "--till", "till-1", "--port", str(self._port), "--kept", str(self._kept)]
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def sell(self, sale: dict[str, object]) -> None:
        """Tell it a sale; returns once it has it on disk."""
        assert self.process is not None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(sale) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == sale["message_id"]

    def kill(self) -> None:
        """Kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()

    def finish(self) -> int:
        """Tell it that the day is over; it ends when everything is counted."""
        assert self.process is not None
        self.process.communicate(timeout=2 * PATIENCE_S)
        return self.process.returncode


@pytest.fixture
def gateway(mosquitto, tmp_path: Path) -> Iterator[GatewayProcess]:
    running = GatewayProcess(tmp_path, port=mosquitto.port)
    running.start()
    yield running
    running.kill()


@pytest.fixture
def till(mosquitto, tmp_path: Path) -> Iterator[ReferenceTill]:
    running = ReferenceTill(tmp_path / "kept.db", port=mosquitto.port)
    running.start()
    yield running
    running.kill()


def sale(number: int) -> dict[str, object]:
    total = 100 + 7 * number
    return {
        "message_id": str(uuid4()),
        "kind": "return" if number % 10 == 9 else "sale",
        "currency": "EUR",
        "lines": [{"sku": "tee", "quantity": 1 + number % 3, "total_minor": total}],
        "total_minor": total,
        "tax_minor": number,
        "tenders": [{"kind": "card" if number % 2 else "cash", "amount_minor": total}],
    }


@pytest.mark.timeout(300)
def test_every_sale_counts_once_whatever_is_killed(mosquitto, gateway: GatewayProcess, till: ReferenceTill) -> None:
    """240 sales; broker, gateway and till are killed with -9 in turn, twice each; the sums are right to the cent."""
    sales = [sale(number) for number in range(240)]

    def kill(what: GatewayProcess | ReferenceTill) -> None:
        what.kill()
        what.start()

    for number, one in enumerate(sales):
        till.sell(one)
        match number % 120:
            case 30:
                kill(mosquitto)
            case 60:
                kill(gateway)
            case 90:
                kill(till)
    assert till.finish() == 0
    signed = [(-1 if one["kind"] == "return" else 1, one) for one in sales]
    assert gateway.total("sales", "EUR/sales") == sum(sign > 0 for sign, _ in signed)
    assert gateway.total("sales", "EUR/returns") == sum(sign < 0 for sign, _ in signed)
    assert gateway.total("sales", "EUR/total_minor") == sum(sign * one["total_minor"] for sign, one in signed)
    assert gateway.total("sales", "EUR/tax_minor") == sum(sign * one["tax_minor"] for sign, one in signed)
    assert gateway.total("sales", "EUR/units") == sum(sign * one["lines"][0]["quantity"] for sign, one in signed)
    for kind in ("card", "cash"):
        paid = sum(sign * one["total_minor"] for sign, one in signed if one["tenders"][0]["kind"] == kind)
        assert gateway.total("sales", f"EUR/{kind}_minor") == paid


def test_a_sale_made_while_nobody_listens_is_kept(mosquitto, gateway: GatewayProcess, till: ReferenceTill) -> None:
    """Broker and gateway away, the till switched off: the sale is on its disk, and is counted when all are back."""
    mosquitto.kill()
    gateway.kill()
    till.sell(sale(1))
    till.kill()
    mosquitto.start()
    gateway.start()
    till.start()
    until(lambda: gateway.total("sales", "EUR/sales") == 1, what="the sale")
    assert till.finish() == 0


def test_it_needs_nothing_of_ours() -> None:
    """Standard library and paho-mqtt; some hundred lines."""
    text = PROGRAM.read_text("utf-8")
    names = set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE))
    assert names - set(sys.stdlib_module_names) == {"paho"}
    assert len(text.splitlines()) < 160
    assert os.access(PROGRAM, os.R_OK)
