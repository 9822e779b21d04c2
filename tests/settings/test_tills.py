"""Tills in store.toml: where they post, and what they show."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.errors import SettingsError
from edge.settings import load_settings

SHOP = """
[store]
id = "shop-1"
[[zones]]
id = "hall"
[[tills]]
id = "till-1"
zone = "hall"
credential_file = "till-1.credential"
[tills_http]
enabled = true
certificate_file = "till.pem"
"""


def test_files_are_looked_for_beside_the_settings(tmp_path: Path) -> None:
    """Credential, certificate and key."""
    (tmp_path / "store.toml").write_text(SHOP + 'key_file = "till.key"\n')
    settings = load_settings(tmp_path / "store.toml")
    assert settings.tills[0].credential_file == tmp_path / "till-1.credential"
    assert settings.tills_http.certificate_file == tmp_path / "till.pem"
    assert settings.tills_http.key_file == tmp_path / "till.key"


def test_a_certificate_without_its_key_is_a_mistake(tmp_path: Path) -> None:
    """It would be plain HTTP where HTTPS was meant."""
    (tmp_path / "store.toml").write_text(SHOP)
    with pytest.raises(SettingsError, match="certificate_file and key_file go together"):
        load_settings(tmp_path / "store.toml")


def test_nothing_listens_unless_it_is_told_to(tmp_path: Path) -> None:
    """Off, and on this box alone."""
    (tmp_path / "store.toml").write_text(SHOP.partition("[tills_http]")[0])
    settings = load_settings(tmp_path / "store.toml")
    assert (settings.tills_http.enabled, settings.tills_http.host) == (False, "127.0.0.1")
