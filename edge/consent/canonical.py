"""One way to write a value as JSON, so that a hash or a signature over it means one thing."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["canonical"]


def canonical(value: Any) -> bytes:
    """`value` as JSON: keys sorted, no spaces, UTF-8, no NaN.

    With text, whole numbers, booleans and None, and keys within the Basic Multilingual Plane, this is RFC 8785 (JCS).
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
