"""One customer out of several accounts: how many pairs of records are rightly joined, by one identifier or by all of them.

The customers are made up, and so is what they have and how often they mistype, share and borrow; every rate stands in `Habits`
and `Slips`, none was measured in a shop. What the table does show is how the ways compare on the same records, how far each
is from what the records tell at all ("told at all": joined by somebody who knows whose each identifier is), and how they
bear more noise. What was written goes through `edge.sealed.identifier` as in a shop: what is not valid there is lost.

    python benchmarks/one_customer.py
    python benchmarks/one_customer.py --customers 50000 --seed 7
"""

from __future__ import annotations

import argparse
import random
import string
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from math import comb
from time import perf_counter

from cloud_sync.hq.customers.decisions import Joined
from cloud_sync.hq.customers.groups import Groups
from cloud_sync.hq.customers.record import CustomerRecord
from cloud_sync.hq.customers.resolution import Resolution, resolve
from cloud_sync.hq.customers.suggestions import suggest
from edge.sealed.identifier import Identifier, IdentifierKind, NotAnIdentifier, identifier

MEMBER, PHONE, EMAIL = IdentifierKind.MEMBER, IdentifierKind.PHONE, IdentifierKind.EMAIL
UNIONID, OPENID, ALIPAY = IdentifierKind.WECHAT_UNIONID, IdentifierKind.WECHAT_OPENID, IdentifierKind.ALIPAY
FILLER = "13800138000"
"""What cashiers type who must fill in a phone number: the operator's own hotline."""
DOMAINS = ("qq.com", "163.com", "126.com", "gmail.com", "outlook.com", "sina.com", "foxmail.com", "icloud.com")


@dataclass(frozen=True)
class Habits:
    """What share of customers has an account, and of purchases shows what. A member card is a phone number in many shops."""

    member: float = 0.65
    wechat: float = 0.85
    alipay: float = 0.70
    email: float = 0.70
    mini_program: float = 0.60
    online: float = 0.50
    mini_program_passes_phone: float = 0.80
    alipay_passes_phone: float = 0.30
    card_shown: float = 0.55
    phone_told: float = 0.35
    """By those who show no card."""
    pays_by_wechat: float = 0.50
    pays_by_alipay: float = 0.30
    purchases: int = 12
    """At most; at least one. As many are as likely as few."""


@dataclass(frozen=True)
class Slips:
    """How often what goes wrong: of what is typed, of customers, of purchases."""

    typo_phone: float = 0.02
    typo_email: float = 0.03
    family_phone: float = 0.08
    borrowed_email: float = 0.03
    recycled_phone: float = 0.01
    other_pays: float = 0.02
    other_card: float = 0.01
    filler: float = 0.02

    def times(self, factor: float) -> Slips:
        """All of them so many times as often."""
        return Slips(**{field.name: min(1.0, getattr(self, field.name) * factor) for field in fields(self)})


@dataclass(frozen=True)
class Person:
    """What somebody really has; an absent one is None."""

    phone: str
    email: str | None
    unionid: str | None
    shop_openid: str | None
    pay_openid: str | None
    alipay: str | None
    member: str | None


@dataclass(frozen=True)
class Told:
    """A record as it was written, and whose it is."""

    id: str
    owner: int
    written: tuple[tuple[IdentifierKind, str], ...]
    account: bool
    """Whether it is the first that is told of an account: its opening, or the first time that it paid."""


Written = dict[IdentifierKind, str]


class World:
    """Customers and what they leave behind: accounts they opened, and purchases. From one seed."""

    def __init__(self, *, customers: int, slips: Slips, seed: int, habits: Habits | None = None) -> None:
        self._dice, self._slips = random.Random(seed), slips
        self._habits = Habits() if habits is None else habits
        self.people = [self._person(number) for number in range(customers)]
        self.told = [told for owner in range(customers) for told in self._records(owner)]
        self._dice.shuffle(self.told)

    def _chance(self, rate: float) -> bool:
        return self._dice.random() < rate

    def _token(self, length: int) -> str:
        return "".join(self._dice.choices(string.ascii_letters + string.digits, k=length))

    def _person(self, number: int) -> Person:
        wechat = self._chance(self._habits.wechat)
        family = self._dice.choice(("li", "wang", "zhang", "chen", "liu", "yang", "wu"))
        email = f"{family}.{self._token(6).lower()}@{self._dice.choice(DOMAINS)}"
        prefix = self._dice.choice(("138", "139", "150", "151", "158", "159", "186", "187", "188"))
        return Person(
            phone=f"{prefix}{self._dice.randrange(10**8):08}",
            email=email if self._chance(self._habits.email) else None,
            unionid=f"o{self._token(27)}" if wechat else None,
            shop_openid=f"o{self._token(27)}" if wechat else None,
            pay_openid=f"o{self._token(27)}" if wechat else None,
            alipay=f"2088{self._dice.randrange(10**12):012}" if self._chance(self._habits.alipay) else None,
            member=f"{10_000_000 + 7 * number}" if self._chance(self._habits.member) else None,
        )

    def _records(self, owner: int) -> Iterator[Told]:
        me, spouse = self.people[owner], self.people[min(owner ^ 1, len(self.people) - 1)]
        phones = [me.phone]
        if self._chance(self._slips.family_phone):
            phones.append(spouse.phone)
        if self._chance(self._slips.recycled_phone):
            phones.append(self._dice.choice(self.people).phone)
        borrows = self._chance(self._slips.borrowed_email)
        email = spouse.email if borrows else me.email
        written = [one for one in self._accounts(me, phones, email) if one]
        accounts = len(written)
        written += [self._purchase(me, spouse, phones) for _ in range(self._dice.randint(1, self._habits.purchases))]
        known: set[tuple[IdentifierKind, str]] = set()
        for number, one in enumerate(one for one in written if one):
            own = {(kind, text) for kind, text in one.items() if kind in (MEMBER, UNIONID, ALIPAY)} & self._owned(me)
            opened = number < accounts or not own <= known
            known |= own
            yield Told(f"{owner:07}-{number}", owner, tuple(one.items()), account=opened)

    def _owned(self, me: Person) -> set[tuple[IdentifierKind, str]]:
        owned = ((MEMBER, me.member), (UNIONID, me.unionid), (ALIPAY, me.alipay))
        return {(kind, text) for kind, text in owned if text is not None}

    def _accounts(self, me: Person, phones: list[str], email: str | None) -> Iterator[Written]:
        """What somebody said when they opened each account."""
        if me.member is not None:
            yield {MEMBER: me.member, **self._phone(phones)}
        if me.unionid is not None and me.shop_openid is not None and self._chance(self._habits.mini_program):
            # WeChat passes on its own verified number, where it is allowed to: nobody types it.
            passed = {PHONE: me.phone} if self._chance(self._habits.mini_program_passes_phone) else {}
            yield {UNIONID: me.unionid, OPENID: me.shop_openid, **passed}
        if me.alipay is not None and self._chance(self._habits.alipay_passes_phone):
            yield {ALIPAY: me.alipay, PHONE: me.phone}
        if self._chance(self._habits.online):
            mailed = {} if email is None else {EMAIL: self._email(email)}
            yield {**mailed, **(self._phone(phones) if not mailed or self._chance(0.7) else {})}

    def _purchase(self, me: Person, spouse: Person, phones: list[str]) -> Written:
        """A card, a phone number that a cashier types, or neither; and what was paid with."""
        shown: Written = {}
        card = (spouse if self._chance(self._slips.other_card) else me).member
        if card is not None and self._chance(self._habits.card_shown):
            shown = {MEMBER: card}
        elif self._chance(self._slips.filler):
            shown = {PHONE: FILLER}
        elif self._chance(self._habits.phone_told):
            shown = self._phone(phones)
        payer, tender = spouse if self._chance(self._slips.other_pays) else me, self._dice.random()
        if tender < self._habits.pays_by_wechat:
            if payer.pay_openid is not None and payer.unionid is not None:
                shown |= {OPENID: payer.pay_openid, UNIONID: payer.unionid}
        elif tender < self._habits.pays_by_wechat + self._habits.pays_by_alipay and payer.alipay is not None:
            shown |= {ALIPAY: payer.alipay}
        return shown

    def _phone(self, phones: list[str]) -> Written:
        phone = self._dice.choice(phones)
        if self._chance(self._slips.typo_phone):
            phone = self._slip(phone, string.digits)
        ways = (phone, f"+86 {phone}", f"{phone[:3]} {phone[3:7]} {phone[7:]}", f"{phone[:3]}-{phone[3:7]}-{phone[7:]}")
        return {PHONE: self._dice.choices(ways, weights=(70, 10, 12, 8))[0]}

    def _email(self, email: str) -> str:
        if self._chance(self._slips.typo_email):
            email = self._slip(email, string.ascii_lowercase)
        return email.capitalize() if self._chance(0.15) else email

    def _slip(self, text: str, letters: str) -> str:
        """One letter changed, left out, doubled, or exchanged with the next."""
        at = self._dice.randrange(1, len(text) - 1)
        return self._dice.choice(
            (
                text[:at] + self._dice.choice(letters) + text[at + 1 :],
                text[:at] + text[at + 1 :],
                text[:at] + text[at] + text[at:],
                text[:at] + text[at + 1] + text[at] + text[at + 2 :],
            )
        )


@dataclass(frozen=True)
class Score:
    """Of all pairs of records: how many of those joined are right, how many of those that belong together are joined."""

    precision: float
    recall: float
    matched: float
    """Records that lie in their customer's profile: where most of that customer's are, and mostly that customer's are."""


def score(told: Iterable[Told], group_of: Mapping[str, str]) -> Score:
    both, groups, owners = Counter[tuple[str, int]](), Counter[str](), Counter[int]()
    for one in told:
        group = group_of[one.id]
        both[group, one.owner] += 1
        groups[group] += 1
        owners[one.owner] += 1
    right, joined, belong = (sum(comb(count, 2) for count in counter.values()) for counter in (both, groups, owners))
    profile: dict[int, int] = defaultdict(int)
    for (group, owner), count in both.items():
        if owners[owner] > 1 and count > 1 and 2 * count > groups[group]:
            profile[owner] = max(profile[owner], count)
    several = sum(count for count in owners.values() if count > 1)
    return Score(right / joined if joined else 1.0, right / belong, sum(profile.values()) / several)


def as_written(told: Iterable[Told], kind: IdentifierKind) -> dict[str, str]:
    """The group of each record, by the very text of one identifier; without it a record is alone."""
    return {one.id: dict(one.written).get(kind, one.id) for one in told}


def by_one(records: Iterable[CustomerRecord], kind: IdentifierKind) -> dict[str, str]:
    """The same by its normal form."""
    return {one.id: next((told.value for told in one.identifiers if told.kind is kind), one.id) for one in records}


def whatever_is_equal(records: Iterable[CustomerRecord], whose: Mapping[str, int] | None = None) -> dict[str, str]:
    """All identifiers, and nothing that keeps anybody apart: what a plain join of tables gives.

    With `whose`, by somebody who knows: only records of one owner are joined, so nothing is wrong and nothing is missed
    that the records tell.
    """
    on: dict[tuple[Identifier, int], list[str]] = defaultdict(list)
    records = list(records)
    for one in records:
        for told in one.identifiers:
            on[told, 0 if whose is None else whose[one.id]].append(one.id)
    groups = Groups(one.id for one in records)
    for ids in on.values():
        groups.unite(ids)
    return {one.id: groups.of(one.id) for one in records}


def normalised(told: Iterable[Told]) -> list[CustomerRecord]:
    return [CustomerRecord(one.id, frozenset(_valid(one.written))) for one in told]


def _valid(written: Iterable[tuple[IdentifierKind, str]]) -> Iterator[Identifier]:
    for kind, text in written:
        try:
            yield identifier(kind, text, region="CN")
        except NotAnIdentifier:
            continue  # as in a shop: it does not tell anybody


def confirmed(found: Resolution, owner_of: Mapping[str, int]) -> tuple[list[Joined], int]:
    """The suggestions that somebody who knows would confirm, and how many there were."""
    suggested = suggest(found)
    return [Joined(one.left, one.right) for one in suggested if owner_of[one.left] == owner_of[one.right]], len(
        suggested
    )


def line(name: str, told: list[Told], group_of: Mapping[str, str]) -> str:
    accounts = score([one for one in told if one.account], group_of)
    every = score(told, group_of)
    figures = (accounts.precision, accounts.recall, every.precision, every.recall, every.matched)
    return f"{name:<42}" + "".join(f" {figure:>9.1%}" for figure in figures)


_COLUMNS = f" {'precision':>9} {'recall':>9}" * 2 + f" {'matched':>9}"


def head(name: str) -> str:
    return f"{'':<42} {'accounts':>19} {'all records':>29}\n{name:<42}" + _COLUMNS


def ways(told: list[Told], *, whose: Mapping[str, int]) -> None:
    """The same records, one way after the other."""
    records, started = normalised(told), perf_counter()
    found = resolve(records)
    took_s = perf_counter() - started
    right, suggested = confirmed(found, whose)
    print(head("joined by"))
    print(line("one identifier: phone, as written", told, as_written(told, PHONE)))
    known = [CustomerRecord(one.id, one.identifiers - {Identifier(PHONE, f"+86{FILLER}")}) for one in records]
    print(line("one identifier: phone, without the filler", told, by_one(known, PHONE)))
    for kind in (MEMBER, UNIONID):
        print(line(f"one identifier: {kind.value.replace('_', ' ')}, normalised", told, by_one(records, kind)))
    print(line("all identifiers, whatever is equal", told, whatever_is_equal(records)))
    print(line("all identifiers, kept apart (resolve)", told, found.customer_of))
    print(line("the same, right suggestions confirmed", told, resolve(records, right).customer_of))
    print(line("told at all", told, whatever_is_equal(records, whose)))
    share, rate = len(right) / max(1, suggested), len(told) / took_s
    print(f"{suggested:,} suggestions, {share:.0%} of them right; {len(found.shared):,} identifiers join nobody")
    print(f"{rate:,.0f} records/s resolved\n")


def report(*, customers: int, seed: int) -> None:
    habits, slips = Habits(), Slips()
    told = World(customers=customers, slips=slips, seed=seed).told
    accounts = sum(one.account for one in told)
    print(f"{customers:,} customers, {accounts:,} accounts, {len(told):,} records, seed {seed}\n{habits}\n{slips}\n")
    ways(told, whose={one.id: one.owner for one in told})
    print(head("resolve, where all slips happen"))
    for factor in (0, 0.5, 1, 2, 4):
        other = World(customers=customers // 4, slips=slips.times(factor), seed=seed + 1).told
        print(line(f"  {factor} times as often", other, resolve(normalised(other)).customer_of))
    print(f"\n{head('resolve, after at most')}")
    for purchases in (1, 3, 6, 12, 24):
        longer = replace(habits, purchases=purchases)
        other = World(customers=customers // 4, slips=slips, seed=seed + 1, habits=longer).told
        print(line(f"  {purchases} purchases", other, resolve(normalised(other)).customer_of))


def main() -> None:
    parser = argparse.ArgumentParser(description="Records to customers: precision and recall.")
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    report(customers=options.customers, seed=options.seed)


if __name__ == "__main__":
    main()
