"""What the sanitiser costs for a typical sale of 1 kB, in µs and as a ratio to `json.loads` of it; and for hostile texts.

python benchmarks/sanitiser.py
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from statistics import median
from time import perf_counter

from edge.privacy.sanitise.sanitiser import Sanitiser

BAR_US = 100.0
ROUNDS, EACH = 50, 200
LINES = [
    {"sku": "6901234567892", "quantity": 1, "total_minor": 24_900, "discount_minor": 2_490, "tax_minor": 2_578},
    {"sku": "SHIRT-OXFORD-170/88A", "quantity": 2, "total_minor": 19_800, "discount_minor": 0, "tax_minor": 2_278},
    {"sku": "4006381333931", "quantity": 1, "total_minor": 5_900, "discount_minor": 0, "tax_minor": 679},
]
SALE = {
    "message_id": "f81d4fae-7dec-41d0-a765-00a0c91e6bf6",
    "captured_at": "2026-10-03T18:21:09.417+08:00",
    "kind": "sale",
    "currency": "CNY",
    "lines": LINES,
    "total_minor": 50_600,
    "discount_minor": 0,
    "tax_minor": 5_535,
    "tax_included": True,
    "net_minor": 45_065,
    "rounding_minor": 0,
    "tenders": [
        {"kind": "wechat_pay", "amount_minor": 40_600, "reference": "4200001234202610031234567890"},
        {"kind": "cash", "amount_minor": 10_000},
    ],
    "training": False,
    "session": "483920",
    "receipt": {
        "number": "R-2026-004711",
        "cashier": "C07",
        "till": "pos-2",
        "note": "Gift wrapped, thank you for your visit",
    },
}
CARD = {"kind": "card", "amount_minor": 40_600, "reference": "auth 4111 1111 1111 1111 ok"}
CUSTOMER = {"name": "Ada Lovelace", "phone": "138 1234 5678", "email": "ada@example.com", "member_number": "00471100"}
VARIANTS = {
    "nothing to hide": SALE,
    "with a customer": {**SALE, "customer": CUSTOMER},
    "and a card number": {**SALE, "customer": CUSTOMER, "tenders": [CARD]},
}


HOSTILE = {
    "digits": "1",
    "Visa's digits": "4",
    "digits and gaps": "4 ",
    "letters that end in no address": "a.b@c.",
    "escapes": "%34",
    "tracks that do not end": "B4111111111111111^",
    "telephones": "13812345678 ",
}
HOSTILE_CHARS = 64 * 1024


def best_us(work: Callable[[], object]) -> float:
    """The median of the quicker half of many rounds: what others do on the machine is left out."""
    rounds = []
    for _ in range(ROUNDS):
        started = perf_counter()
        for _ in range(EACH):
            work()
        rounds.append(1e6 * (perf_counter() - started) / EACH)
    return median(sorted(rounds)[: ROUNDS // 2])


def once_us(sanitiser: Sanitiser, text: str) -> float:
    """How long one cleaning takes."""
    started = perf_counter()
    sanitiser.clean(text)
    return 1e6 * (perf_counter() - started)


def main() -> None:
    sanitiser = Sanitiser(lambda _number: "t_benchmark", region="CN")
    gc.disable()
    for name, sale in VARIANTS.items():
        payload = json.dumps(sale).encode()
        parsed = json.loads(payload)
        loads_us = best_us(lambda payload=payload: json.loads(payload))  # type: ignore[misc]
        clean_us = best_us(lambda parsed=parsed: sanitiser.clean(parsed))  # type: ignore[misc]
        found = sanitiser.clean(parsed)
        print(
            f"{name}: {len(payload)} bytes, {clean_us:.0f} µs (bar {BAR_US:.0f}), {clean_us / loads_us:.1f} times json.loads;"
            f" {len(found.cards)} cards, {len(found.identities)} identities"
        )
    print("hostile texts, µs for each character of 64 Ki, and of twice as many:")
    for name, unit in HOSTILE.items():
        figures = [
            once_us(sanitiser, unit * (chars // len(unit))) / chars for chars in (HOSTILE_CHARS, 2 * HOSTILE_CHARS)
        ]
        print(f"  {name}: {figures[0]:.1f}, {figures[1]:.1f}")


if __name__ == "__main__":
    main()
