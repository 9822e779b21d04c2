"""A value that shows itself only when asked."""

from __future__ import annotations

from typing import Generic, NoReturn, TypeVar

__all__ = ["Secret"]

T = TypeVar("T")


class Secret(Generic[T]):
    """Holds a value; `repr`, `str` and formatting show nothing of it, not even its length, and it cannot be pickled.

    Two of them are never equal, so that no comparison of theirs can be timed: compare what they reveal, with `hmac`.
    """

    __slots__ = ("__value",)

    def __init__(self, value: T) -> None:
        self.__value = value

    def reveal(self) -> T:
        """The value."""
        return self.__value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __format__(self, _spec: str) -> str:
        return "Secret(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")
