"""One customer: equal identifiers join whoever may be joined, in any order; what was wrong is undone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_sync.hq.customers.decisions import Decision, Disregarded, Entry, Joined, Undone, standing
from cloud_sync.hq.customers.likeness import one_slip_apart, pairs_one_slip_apart
from cloud_sync.hq.customers.record import CustomerRecord
from cloud_sync.hq.customers.resolution import Resolution, resolve
from cloud_sync.hq.customers.suggestions import Likeness, suggest
from cloud_sync.hq.customers.tiers import CROWD
from edge.sealed.identifier import Identifier, IdentifierKind

UNTIMED = settings(deadline=None)
MEMBER, PHONE, EMAIL = IdentifierKind.MEMBER, IdentifierKind.PHONE, IdentifierKind.EMAIL
UNIONID, OPENID, ALIPAY = IdentifierKind.WECHAT_UNIONID, IdentifierKind.WECHAT_OPENID, IdentifierKind.ALIPAY
NOW = datetime(2026, 3, 2, tzinfo=UTC)
FAMILY = Identifier(PHONE, "+8613812345678")


def record(name: str, **told: str) -> CustomerRecord:
    return CustomerRecord(name, frozenset(Identifier(IdentifierKind(kind), value) for kind, value in told.items()))


def named(*names: str) -> frozenset[frozenset[str]]:
    """Groups of records, each written as one word of one-letter names."""
    return frozenset(frozenset(name) for name in names)


def groups(found: Resolution) -> frozenset[frozenset[str]]:
    return frozenset(customer.records for customer in found.customers.values())


def components(records: Iterable[CustomerRecord]) -> frozenset[frozenset[str]]:
    """Whoever hangs together by any identifier at all: the plain way, growing sets until nothing grows."""
    parts: list[tuple[set[str], set[Identifier]]] = []
    for one in records:
        ids, told = {one.id}, set(one.identifiers)
        touching = [part for part in parts if part[1] & told]
        for part in touching:
            ids |= part[0]
            told |= part[1]
            parts.remove(part)
        parts.append((ids, told))
    return frozenset(frozenset(ids) for ids, _ in parts)


def records_of(*kinds: IdentifierKind, values: int = 4, most: int = 14) -> st.SearchStrategy[list[CustomerRecord]]:
    """Records that tell at most one value of each kind, out of few."""
    told = st.fixed_dictionaries({}, optional={kind: st.integers(1, values) for kind in kinds})
    return st.lists(told, max_size=most).map(
        lambda many: [
            CustomerRecord(
                f"r{number:02}", frozenset(Identifier(kind, f"{kind}-{value}") for kind, value in one.items())
            )
            for number, one in enumerate(many)
        ]
    )


ANY = records_of(*IdentifierKind)


@UNTIMED
@given(records=ANY, seed=st.integers(0, 99))
def test_the_order_of_records_does_not_matter(records: list[CustomerRecord], seed: int):
    """Customers, their ids and what was cut are the same, whichever came first, and however often."""
    shuffled = records * 2
    Random(seed).shuffle(shuffled)
    one, other = resolve(records), resolve(shuffled)
    assert one.customers == other.customers
    assert (one.shared, one.outvoted) == (other.shared, other.outvoted)


@UNTIMED
@given(records=records_of(PHONE, EMAIL, OPENID, most=10))
def test_union_is_transitive(records: list[CustomerRecord]):
    """Where nobody has anything of their own to keep them apart, whoever hangs together is one."""
    found = resolve(records)
    assert groups(found) == components(records)
    assert not found.shared


@UNTIMED
@given(records=ANY)
def test_whoever_shares_what_joins_is_one_customer(records: list[CustomerRecord]):
    """An identifier joins all of its records, or is named as shared, or the record as outvoted; and nothing else joins."""
    found = resolve(records)
    for identifier, on in found.links.items():
        assert identifier in found.shared or len({found.customer_of[one] for one in on}) <= 1
    for one in records:
        for told in one.identifiers:
            assert (one.id in found.links[told]) != ((told, one.id) in found.outvoted)
    hanging = {name: part for part in components(records) for name in part}
    for customer in found.customers.values():
        assert customer.records <= hanging[customer.id]


@UNTIMED
@given(records=ANY)
def test_no_customer_has_two_member_numbers(records: list[CustomerRecord]):
    """Whatever else they share, over however many steps; and one member number is always one customer."""
    found = resolve(records)
    for customer in found.customers.values():
        assert sum(identifier.kind is MEMBER for identifier in customer.identifiers) <= 1
    for identifier, on in found.links.items():
        if identifier.kind is MEMBER:
            assert len({found.customer_of[one] for one in on}) == 1


@UNTIMED
@given(records=records_of(UNIONID, PHONE, EMAIL))
def test_no_phone_or_mailbox_joins_two_wechat_accounts(records: list[CustomerRecord]):
    """Two people's accounts stay two customers, whatever number they gave."""
    for customer in resolve(records).customers.values():
        assert sum(identifier.kind is UNIONID for identifier in customer.identifiers) <= 1


@UNTIMED
@given(records=ANY)
def test_only_what_hangs_together_matters(records: list[CustomerRecord]):
    """Each part resolved by itself gives what all of it gives: a new record costs HQ its own part alone."""
    by_id = {one.id: one for one in records}
    apart = [resolve([by_id[name] for name in part]) for part in components(records)]
    whole = resolve(records)
    assert {name: one for found in apart for name, one in found.customers.items()} == whole.customers
    assert frozenset().union(*(found.shared for found in apart)) == whole.shared
    assert frozenset().union(*(found.outvoted for found in apart)) == whole.outvoted


def test_a_family_phone_does_not_join_two_members():
    """Both gave it, and a child who has nothing else: three customers, and what speaks for the child is suggested."""
    records = [
        record("a", member="M1", phone=FAMILY.value, email="ada@example.com"),
        record("b", member="M2", phone=FAMILY.value),
        record("c", phone=FAMILY.value),
        record("d", email="ada@example.com"),
    ]
    found = resolve(records)
    assert groups(found) == named("ad", "b", "c")
    assert found.shared == {FAMILY}
    assert {(one.left, one.right) for one in suggest(found)} == {("a", "c"), ("b", "c")}


def test_members_are_not_joined_over_others_either():
    """Her phone and his mailbox on one order: the order is nobody's, the two stay two, and the rest stays with them."""
    records = [
        record("a", member="M1", phone="+4911"),
        record("b", member="M2", phone="+4922"),
        record("c", phone="+4911", wechat_openid="w"),
        record("d", phone="+4922", wechat_openid="w"),
        record("e", member="M1"),
    ]
    assert groups(resolve(records)) == named("ae", "b", "cd")


def test_who_pays_for_another_is_not_the_other():
    """Her WeChat under his member number, once, and under her own: it stops joining, both keep their numbers."""
    records = [
        record("a", member="M1", wechat_unionid="hers"),
        record("b", member="M2", wechat_unionid="hers", phone="+4922"),
        record("c", wechat_unionid="hers", phone="+4922"),
    ]
    found = resolve(records)
    assert groups(found) == named("a", "bc")
    assert found.shared == {Identifier(UNIONID, "hers")}


def test_a_number_that_is_mostly_ones_stays_theirs():
    """The spouse gave it once. It joins the one's other records, and what the spouse's record says joins nobody."""
    records = [
        record("a", member="M1", phone=FAMILY.value),
        record("b", member="M1", phone=FAMILY.value),
        record("c", phone=FAMILY.value, email="ada@example.com"),
        record("d", member="M2", phone=FAMILY.value),
        record("e", member="M2"),
    ]
    found = resolve(records)
    assert groups(found) == named("abc", "de")
    assert found.outvoted == {(FAMILY, "d")}
    assert FAMILY in found.customers["d"].identifiers


def test_nobody_is_outvoted_by_people_who_differ_themselves():
    """Four in a family, each with a card: none of them is the three others' slip."""
    records = [record(f"r{number}", member=f"M{number}", phone=FAMILY.value) for number in range(4)]
    found = resolve([*records, record("x", phone=FAMILY.value), record("y", phone=FAMILY.value)])
    assert (len(found.customers), found.outvoted, found.shared) == (6, frozenset(), {FAMILY})


def test_a_clerk_who_pays_for_everybody_joins_nobody():
    """A WeChat account under thousands of cards: no join, and no comparing of all with all."""
    records = [record(f"r{number:04}", member=f"M{number}", wechat_unionid="clerk") for number in range(5000)]
    found = resolve(records)
    assert (len(found.customers), found.outvoted) == (5000, frozenset())


@pytest.mark.parametrize(("many", "joined"), [(CROWD, 1), (CROWD + 1, CROWD + 1)])
def test_a_tills_filler_joins_nobody(many: int, joined: int):
    """A number that more than a dozen gave who each have another; up to a dozen it is somebody with many accounts."""
    records = [record(f"r{number:02}", phone=FAMILY.value, email=f"{number}@example.com") for number in range(many)]
    assert len(resolve(records).customers) == joined


def test_who_gives_nothing_but_a_phone_is_one_customer():
    """A hundred times: no crowd."""
    assert len(resolve([record(f"r{number:03}", phone=FAMILY.value) for number in range(100)]).customers) == 1


@UNTIMED
@given(records=ANY, data=st.data())
def test_why_is_a_chain_from_one_to_the_other(records: list[CustomerRecord], data: st.DataObject):
    """Each reason stands on a record that the one before stands on, too."""
    found = resolve(records)
    for customer in found.customers.values():
        left, right = (data.draw(st.sampled_from(sorted(customer.records))) for _ in range(2))
        at = {left}
        for reason in found.why(left, right):
            assert isinstance(reason, Identifier)
            assert at & set(found.links[reason])
            at = set(found.links[reason])
        assert right in at


def test_why_two_customers_are_none():
    """Nothing joins them."""
    assert resolve([record("a", member="M1"), record("b", member="M2")]).why("a", "b") == ()


def decisions_on(records: list[CustomerRecord]) -> st.SearchStrategy[list[Decision]]:
    if not records:
        return st.just([])
    name = st.sampled_from([one.id for one in records])
    told = st.sampled_from(sorted({told for one in records for told in one.identifiers}) or [FAMILY])
    return st.lists(st.builds(Joined, name, name) | st.builds(Disregarded, told, st.none() | name), max_size=5)


@UNTIMED
@given(records=ANY, data=st.data())
def test_undoing_restores(records: list[CustomerRecord], data: st.DataObject):
    """Whatever was decided between, once it is undone all is as it was; undo the undoing, and it is decided again."""
    early, late = (data.draw(decisions_on(records)) for _ in range(2))
    decided = [Entry(number, what, "officer", NOW) for number, what in enumerate([*early, *late])]
    undoing = [Entry(len(decided) + number, Undone(len(early) + number), "officer", NOW) for number in range(len(late))]
    again = [
        Entry(len(decided) + len(undoing) + number, Undone(len(decided) + number), "officer", NOW)
        for number in range(len(undoing))
    ]
    before, between = resolve(records, early), resolve(records, [*early, *late])
    assert resolve(records, standing(decided)) == between
    assert resolve(records, standing([*decided, *undoing])) == before
    assert resolve(records, standing([*reversed(again), *decided, *undoing])) == between


@UNTIMED
@given(records=ANY, data=st.data())
def test_decisions_know_no_order_either(records: list[CustomerRecord], data: st.DataObject):
    """The same ones in another order, on records in another order."""
    decisions = data.draw(decisions_on(records))
    assert resolve(records, decisions) == resolve(records[::-1], decisions[::-1])


def test_a_wrong_join_is_undone_on_the_record_that_was_wrong():
    """A friend's card was shown once. That purchase leaves, everything else stays, and the record still says what it said."""
    records = [
        record("a", member="M1", email="ada@example.com"),
        record("b", member="M1", phone="+4922"),
        record("c", phone="+4922", email="bob@example.com"),
        record("d", member="M1"),
    ]
    wrong = resolve(records)
    assert groups(wrong) == named("abcd")
    assert wrong.why("a", "c") == (Identifier(MEMBER, "M1"), Identifier(PHONE, "+4922"))
    mended = resolve(records, [Disregarded(Identifier(MEMBER, "M1"), "b")])
    assert groups(mended) == named("ad", "bc")
    assert Identifier(MEMBER, "M1") in mended.customers["b"].identifiers


def test_people_may_join_what_a_machine_may_not():
    """Two member numbers of one person; and when one of the records is erased, the decision falls with it."""
    records = [record("a", member="M1"), record("b", member="M2"), record("c", member="M2")]
    together = [Joined("b", "a")]
    found = resolve(records, together)
    assert groups(found) == named("abc")
    assert found.why("c", "a") == (Identifier(MEMBER, "M2"), Joined("b", "a"))
    assert groups(resolve([records[0], records[2]], together)) == named("a", "c")


def test_erasing_the_record_between_parts_what_it_joined():
    """What only an erased record knew is known no more."""
    records = [record("a", phone="+4911"), record("b", phone="+4911", email="x@y.zz"), record("c", email="x@y.zz")]
    assert groups(resolve(records)) == named("abc")
    assert groups(resolve([records[0], records[2]])) == named("a", "c")


def test_two_records_of_one_id_are_refused():
    """The same one twice is fine, another under its name is a mistake."""
    with pytest.raises(ValueError, match="one id"):
        resolve([record("a", member="M1"), record("a", member="M2")])


def slips(left: str, right: str) -> int:
    """Optimal string alignment distance by its textbook table."""
    table = {(at, 0): at for at in range(len(left) + 1)} | {(0, at): at for at in range(len(right) + 1)}
    for i in range(1, len(left) + 1):
        for j in range(1, len(right) + 1):
            same = left[i - 1] == right[j - 1]
            ways = [table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (not same)]
            if min(i, j) > 1 and left[i - 2 : i] == right[j - 2 : j][::-1]:
                ways.append(table[i - 2, j - 2] + 1)
            table[i, j] = min(ways)
    return table[len(left), len(right)]


FEW = st.text("ab1", max_size=6)


@UNTIMED
@given(left=FEW, right=FEW)
def test_one_slip_is_what_the_textbook_says(left: str, right: str):
    """Changed, left out, put in, exchanged; equal is none."""
    assert one_slip_apart(left, right) == (slips(left, right) == 1)


@UNTIMED
@given(texts=st.lists(FEW, max_size=12))
def test_blocking_misses_no_pair(texts: list[str]):
    """The pairs that are found are those that comparing all with all finds."""
    many = sorted(set(texts))
    pairs = [(a, b) for at, a in enumerate(many) for b in many[at + 1 :] if slips(a, b) == 1]
    assert list(pairs_one_slip_apart(texts)) == sorted(pairs)


def test_a_mistyped_address_is_suggested_and_nothing_is_joined():
    """`gmial` for `gmail`: two customers still, and somebody is asked, with the reason."""
    records = [
        record("a", email="ada@gmail.com", member="M1"),
        record("b", email="ada@gmial.com"),
        record("c", email="bob@gmail.com"),
    ]
    found = resolve(records)
    assert len(found.customers) == 3
    (one,) = suggest(found)
    assert (one.left, one.right) == ("a", "b")
    assert one.because == (Likeness(Identifier(EMAIL, "ada@gmail.com"), Identifier(EMAIL, "ada@gmial.com")),)


def test_two_reasons_come_before_one():
    """The officer sees the surest first."""
    records = [
        record("a", email="ada@gmail.com", phone="+4911111"),
        record("b", email="ada@gmial.com", phone="+4911112"),
        record("c", phone="+4911122"),
    ]
    assert [(one.left, one.right, len(one.because)) for one in suggest(resolve(records))] == [
        ("a", "b", 2),
        ("b", "c", 1),
    ]


@UNTIMED
@given(records=ANY)
def test_no_suggestion_joins_two_member_numbers(records: list[CustomerRecord]):
    """Nor a customer to themselves, nor anybody twice."""
    found = resolve(records)
    suggested = suggest(found)
    assert len({(one.left, one.right) for one in suggested}) == len(suggested)
    for one in suggested:
        members = {
            told for name in (one.left, one.right) for told in found.customers[name].identifiers if told.kind is MEMBER
        }
        assert one.left < one.right
        assert len(members) <= 1


def test_what_a_crowd_uses_suggests_nothing():
    """A filler would suggest everybody to everybody."""
    records = [record(f"r{number:02}", phone=FAMILY.value, member=f"M{number}") for number in range(CROWD + 1)]
    records.append(record("z", phone=FAMILY.value))
    assert suggest(resolve(records)) == ()
