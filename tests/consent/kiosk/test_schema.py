"""schemathesis against the kiosk's OpenAPI document: whatever is sent, the box does not break."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from kiosk_visits import Visitor, read_qr
from schemathesis.checks import not_a_server_error

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def api(shop: Any) -> Any:
    """The kiosk as its OpenAPI document describes it."""
    return schemathesis.openapi.from_url(f"{shop.kiosk}/openapi.json")


@pytest.fixture(scope="module")
def insider(shop: Any) -> Iterator[Visitor]:
    """Somebody with a page of their own, whose tokens let requests past the door."""
    with httpx.Client(base_url=shop.kiosk, trust_env=False) as client:
        visitor = Visitor(client)
        visitor.allow("in_store_offers")
        yield visitor


@pytest.fixture(scope="module")
def link(insider: Visitor) -> str:
    """The last part of that page's address."""
    return read_qr(insider.get("/here/receipt.svg").text).rpartition("/")[2]


def each_operation(api: Any, send: Callable[[Any], Any], *, examples: int) -> int:
    """Send requests made up for each operation of the document; how many operations there were."""
    operations = [found.ok() for found in api.get_all_operations()]
    for operation in operations:

        @seed(1)
        @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def is_answered(case: Any) -> None:
            send(case)

        is_answered()
    return len(operations)


def test_strangers_break_nothing(api: Any) -> None:
    """Requests made up from the document, without a visit or a token."""
    count = each_operation(api, lambda case: case.call_and_validate(checks=(not_a_server_error,)), examples=10)
    assert count > 50


def test_insiders_break_nothing(api: Any, insider: Visitor, link: str) -> None:
    """The same from somebody with a page, a visit and the right token, so that they reach what lies behind."""
    reached = Counter[int]()

    def send(case: Any) -> None:
        if "link" in (case.path_parameters or {}):
            case.path_parameters["link"] = link
            page = insider.client.get(f"/my/{link}/ask").text
        else:
            page = insider.client.get("/here/choose").text
        if isinstance(case.body, dict):
            case.body["token"] = page.partition('name="token" value="')[2][:64]
        answer = case.call_and_validate(checks=(not_a_server_error,), cookies=dict(insider.client.cookies))
        reached[answer.status_code] += 1

    each_operation(api, send, examples=15)
    assert reached[303] > reached[403]
