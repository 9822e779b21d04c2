"""A shop's tills with a real writer and database behind them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from till_shop import MakeShop, TillShop, till_settings


@pytest.fixture
def make_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeShop]:
    """A function that makes a shop in a folder of its own; closed at the end."""
    made: list[TillShop] = []

    def make(folder: Path | None = None, **options: object) -> TillShop:
        settings = till_settings(folder or tmp_path_factory.mktemp("shop"), **options.pop("tables", {}))
        made.append(TillShop(settings, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
