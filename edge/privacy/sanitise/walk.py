"""Through values of any shape: each field judged by its name, what is harmless left the same object."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from edge.privacy.sanitise.fields import Meaning, Role, meaning_of
from edge.privacy.sanitise.finds import Forbidden, IdentityKind
from edge.privacy.sanitise.leaves import SMALL, Leaves
from edge.privacy.sanitise.marks import UNREADABLE, holds_a_mark
from edge.privacy.sanitise.scan import plainly_harmless, scan
from edge.privacy.sanitise.tally import Tally

__all__ = ["Walk"]

_DEEPEST = 100
_MOST_NAMES = 4096
_NAME = re.compile(r"[\w{}:./-]{1,100}")
_PAIR_NAMES = ("name", "key", "field", "type", "label", "id", "code")
_PAIR_VALUES = ("value", "text", "content", "data", "#text")
_UNREMARKABLE = frozenset({None, Role.FIGURE, Role.ARTICLE})
_QUICK: Mapping[type, Callable[[Any], bool]] = {str: plainly_harmless, int: lambda number: -SMALL < number < SMALL}
"""The quick way out for most of what a message holds."""
_EMPTY: tuple[Any, ...] = ("", [], {}, (), b"", 0)


class Walk:
    """Cleans values into a tally. Keeps names of fields, a bounded number, and nothing of any value."""

    __slots__ = ("_leaves", "_names", "_region")

    def __init__(self, *, region: str) -> None:
        self._region = region
        self._leaves = Leaves(region=region)
        self._names: tuple[dict[str, Meaning | None], dict[str, Meaning | None]] = ({}, {})

    def value(self, value: Any, tally: Tally, meaning: Meaning | None = None, *, depth: int = 0) -> Any:
        """`value` without what has to go; `meaning` is that of the field it stands in, `depth` how many hold it."""
        kind = type(value)
        if value is None or kind is bool or (meaning in _UNREMARKABLE and kind in _QUICK and _QUICK[kind](value)):
            return value
        if isinstance(value, str):
            return self._leaves.text(value, tally, meaning)
        if isinstance(meaning, Forbidden):
            return value if value in _EMPTY else tally.mark(meaning)
        if isinstance(value, (int, float)):
            return self._leaves.number(value, tally, meaning)
        if isinstance(value, (Mapping, list, tuple, set, frozenset)):
            return self._container(value, tally, meaning, depth=depth + 1) if depth < _DEEPEST else UNREADABLE
        return self._leaves.other(value, tally, meaning)

    def _container(self, value: Any, tally: Tally, meaning: Meaning | None, *, depth: int) -> Any:
        if isinstance(value, Mapping):
            if "tag" in value and "children" in value and isinstance(value["tag"], str):
                return self._element(value, tally, meaning, depth=depth)
            return self._mapping(value, tally, meaning, depth=depth)
        items = [self.value(item, tally, meaning, depth=depth) for item in value]
        if _same(items, value):
            return value
        if isinstance(value, tuple):
            return type(value)._make(items) if hasattr(value, "_make") else tuple(items)
        return items if isinstance(value, list) else type(value)(items)

    def _mapping(self, value: Mapping[Any, Any], tally: Tally, meaning: Meaning | None, *, depth: int) -> Any:
        person = meaning is Role.PERSON or meaning is IdentityKind.PERSONAL
        inherited = meaning if isinstance(meaning, IdentityKind) else None
        paired = self._paired(value)
        names = self._names[person]
        changed: dict[Any, tuple[Any, Any]] = {}
        for key, item in value.items():
            clean_key, own = (key, names[key]) if key in names else self._key(key, tally, person=person)
            if paired is not None and key in _PAIR_VALUES:
                own = paired
            clean = self.value(item, tally, own or inherited, depth=depth)
            if clean is not item or clean_key is not key:
                changed[key] = clean_key, clean
        return _without_collisions([changed.get(key, (key, item)) for key, item in value.items()]) if changed else value

    def _element(self, node: Mapping[Any, Any], tally: Tally, context: Meaning | None, *, depth: int) -> Any:
        """An XML element as `edge.pos_bridge` reads it: tag, attributes, text, children. Its tag names its text."""
        person = context is Role.PERSON
        inherited = context if isinstance(context, IdentityKind) else None
        own = self._meaning(node["tag"], person=person) or inherited
        attributes = node.get("attributes") or {}
        clean: dict[Any, Any] = {
            "tag": self._key(node["tag"], tally, person=False)[0],
            "attributes": self._attributes(attributes, tally, own, depth=depth),
            "text": self.value(node.get("text") or "", tally, own, depth=depth),
        }
        if isinstance(own, Forbidden):
            clean["children"] = []
            if node["children"] and not clean["text"]:
                clean["text"] = tally.mark(own)
        else:
            passed_on = Role.PERSON if person and own is None else own
            clean["children"] = self.value(node["children"], tally, passed_on, depth=depth)
        clean |= {key: self.value(item, tally, depth=depth) for key, item in node.items() if key not in clean}
        same = all(clean[key] is item or (not item and not clean[key]) for key, item in node.items())
        return node if same else clean

    def _attributes(self, given: Mapping[Any, Any], tally: Tally, element: Meaning | None, *, depth: int) -> Any:
        """Only what an attribute is named for is personal; of an element for what is forbidden all with digits goes."""
        items: list[tuple[Any, Any]] = []
        for key, item in given.items():
            clean_key, own = self._key(key, tally, person=element is Role.PERSON)
            own = None if own is IdentityKind.PERSONAL else own
            if isinstance(element, Forbidden) and any(letter.isdigit() for letter in str(item)):
                own = element
            items.append((clean_key, self.value(item, tally, own, depth=depth)))
        same = all(one is key and other is given[key] for (one, other), key in zip(items, given, strict=True))
        return given if same else _without_collisions(items)

    def _key(self, key: Any, tally: Tally, *, person: bool) -> tuple[Any, Meaning | None]:
        """The key without what has to go, and what it means."""
        if not isinstance(key, str):
            return self.value(key, tally), None
        if key in self._names[person]:
            return key, self._names[person][key]
        clean = self._leaves.text(key, tally, None)
        return clean if clean != key else key, self._meaning(clean, person=person)

    def _meaning(self, name: str, *, person: bool) -> Meaning | None:
        """What a name means: nothing where something had to be taken out of it, then or now."""
        names = self._names[person]
        if name in names:
            return names[name]
        if holds_a_mark(name) or scan(name, region=self._region):
            return None
        meaning = meaning_of(name, person=person)
        if _NAME.fullmatch(name) and len(names) < _MOST_NAMES:
            names[name] = meaning
        return meaning

    def _paired(self, value: Mapping[Any, Any]) -> Meaning | None:
        """What the value of a pair such as `{"name": "cvv", "value": "123"}` is, None where it is no pair."""
        if not any(name in value for name in _PAIR_VALUES):
            return None
        names = (value[name] for name in _PAIR_NAMES if isinstance(value.get(name), str))
        meanings = (self._meaning(name, person=False) for name in names)
        return next((meaning for meaning in meanings if isinstance(meaning, (Forbidden, IdentityKind))), None)


def _same(items: list[Any], value: Iterable[Any]) -> bool:
    return all(one is other for one, other in zip(items, value, strict=True))


def _without_collisions(items: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """Two keys may have become one: nothing is lost, the later ones are counted."""
    made: dict[Any, Any] = {}
    for key, item in items:
        free, again = key, 1
        while free in made:
            again += 1
            free = f"{key} ({again})"
        made[free] = item
    return made
