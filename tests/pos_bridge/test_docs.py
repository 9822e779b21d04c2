"""docs/tills.md: its examples are one sale in two forms, are taken both ways, and its tables leave nothing out."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from gateway_process import GatewayProcess
from till_shop import CREDENTIAL, till_settings

from edge.messages import Ack, Customer, PosTransaction, SaleLine, Tender, TenderKind
from edge.pos_bridge.native import sale_from
from edge.pos_bridge.reading import read_transaction
from edge.settings import Settings, TillsHttpSettings
from edge.till_credentials import TillCredentials
from edge.tills_http import TillsHttp
from edge.tills_server import TillsServer

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "tills.md").read_text("utf-8")
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def sale(payload: str) -> PosTransaction:
    return read_transaction(payload.encode(), till="till-1", received_at=NOW, timezone=UTC)


def command(program: str) -> list[str]:
    return next(line for line in map(shlex.split, blocks("sh")) if line[0] == program)


def test_json_and_poslog_examples_are_the_same_sale() -> None:
    """As the page says; only the id differs."""
    told, logged = sale_from(sale(blocks("json")[0])), sale_from(sale(blocks("xml")[0]))
    assert replace(logged, message_id=told.message_id) == told


def test_the_ack_is_as_shown() -> None:
    """What comes back is what the page shows, and names the example's id."""
    ack = Ack.model_validate_json(blocks("json")[1])
    assert ack.model_dump(mode="json") == json.loads(blocks("json")[1])
    assert ack.message_ids == (sale(blocks("json")[0]).message_id,)


@pytest.mark.parametrize("model", [PosTransaction, SaleLine, Tender, Customer])
def test_every_field_is_told(model: type) -> None:
    """A field that is not on the page is one no till will send."""
    for name in model.model_fields:
        assert f"`{name}`" in TEXT, name


def test_every_kind_of_payment_is_told() -> None:
    """By its name."""
    for kind in get_args(TenderKind):
        assert f"`{kind}`" in TEXT


def test_every_reason_is_told() -> None:
    """Each word that the code refuses a transaction with stands in the table."""
    rooms = [*(ROOT / "edge" / "pos_bridge").glob("*.py"), ROOT / "edge" / "tills_http.py"]
    said = {word for room in rooms for word in re.findall(r'MessageRejected\(\s*"([a-z-]+)"', room.read_text("utf-8"))}
    assert said >= {
        "not-json",
        "not-xml",
        "unsafe-xml",
        "too-large",
        "not-poslog",
        "not-a-sale",
        "no-identity",
        "invalid",
    }
    assert all(f"`{word}`" in TEXT for word in said)


def test_the_settings_are_settings() -> None:
    """The TOML of the page loads."""
    tables = tomllib.loads("\n".join(blocks("toml")))
    settings = Settings.model_validate({"store": {"id": "s"}, "zones": [{"id": "checkout"}], **tables})
    assert settings.tills_http.enabled
    assert settings.tills[0].credential_file == Path("till-1.credential")


def test_the_curl_line_posts_the_json_example(make_shop, tmp_path: Path, free_port) -> None:
    """As it stands there, but for the port."""
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("no curl on this machine")
    shop = make_shop()
    (tmp_path / "sale.json").write_text(blocks("json")[0])
    (tmp_path / "poslog.xml").write_text(blocks("xml")[0])
    where = TillsHttpSettings(port=free_port())
    tills = TillsHttp(shop.settings, door=shop, commits=shop.commits, credentials=TillCredentials.of(shop.settings))
    server = TillsServer(tills.app(), where)
    server.start()
    try:
        words = [word.replace("8082", str(where.port)).replace("$CREDENTIAL", CREDENTIAL) for word in command("curl")]
        for words_now in (words, [word.replace("sale.json", "poslog.xml") for word in words]):
            done = subprocess.run(
                [curl, "--silent", *words_now[1:]], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
            )
            assert "message_ids" in done.stdout
    finally:
        server.stop()
    assert json.loads(blocks("json")[1])["message_ids"][0] in map(str, shop.acks.ids)
    assert shop.figures()["EUR/sales"] == 2
    assert shop.figures()["EUR/discount_minor"] == 2 * 998


def test_the_reference_tills_line_sells(mosquitto, tmp_path: Path) -> None:
    """As it stands there, but for store and port: the example's sale is counted and the program ends."""
    gateway = GatewayProcess(tmp_path, port=mosquitto.port)
    gateway.start()
    try:
        words = command("python")
        words = words[: words.index("<")]
        changed = {"berlin-1": "shop-1", "1883": str(mosquitto.port), words[1]: str(ROOT / words[1])}
        line = json.dumps(json.loads(blocks("json")[0]) | {"captured_at": datetime.now(UTC).isoformat()}) + "\n"
        subprocess.run(
            [sys.executable, *(changed.get(word, word) for word in words[1:])],
            input=line, text=True, cwd=tmp_path, capture_output=True, timeout=60, check=True,
        )  # fmt: skip
        assert gateway.total("sales", "EUR/card_minor") == 7222
        assert gateway.total("sales", "EUR/gift_card_minor") == 2000
    finally:
        gateway.kill()


def test_settings_of_a_till_are_rebased(tmp_path: Path) -> None:
    """A credential's file is looked for beside store.toml."""
    assert till_settings(tmp_path).tills[0].credential_file == tmp_path / "till-1.credential"
