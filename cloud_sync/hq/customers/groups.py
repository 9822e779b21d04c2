"""Groups that only ever grow together (union-find), each named after its least member: no order shows in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

__all__ = ["Groups"]


class Groups:
    """A partition of its members; each begins alone."""

    def __init__(self, members: Iterable[str]) -> None:
        self._parent = {member: member for member in members}

    def of(self, member: str) -> str:
        """The name of its group: the least member.

        Raises:
            KeyError: it is no member.
        """
        root = member
        while (parent := self._parent[root]) != root:
            root = parent
        while (parent := self._parent[member]) != root:
            self._parent[member], member = root, parent
        return root

    def unite(self, members: Iterable[str]) -> None:
        """Make one group of all the groups that these are in."""
        names = sorted({self.of(member) for member in members})
        for name in names:
            self._parent[name] = names[0]

    def members(self) -> dict[str, list[str]]:
        """Every group by its name."""
        found: dict[str, list[str]] = defaultdict(list)
        for member in self._parent:
            found[self.of(member)].append(member)
        return dict(found)
