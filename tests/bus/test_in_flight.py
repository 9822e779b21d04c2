"""What is delivered and not acknowledged: counted exactly, and full in time."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge.bus.in_flight import InFlight

MIDS = st.integers(1, 12)


class Deliveries(RuleBasedStateMachine):
    """The bound against a plain list of what is out, through any order of deliveries, acknowledgements and losses."""

    def __init__(self):
        super().__init__()
        self.subject, self.out = InFlight(max_messages=5, max_bytes=1000), {}

    @rule(mid=MIDS, size=st.integers(0, 600))
    def deliver(self, mid, size):
        self.subject.add(mid, size=size)
        self.out[mid] = size

    @rule(mid=MIDS)
    def acknowledge(self, mid):
        assert self.subject.remove(mid) == (mid in self.out)
        self.out.pop(mid, None)

    @rule()
    def lose(self):
        self.subject.clear()
        self.out.clear()

    @invariant()
    def full_when_it_says_so(self):
        assert self.subject.full == (len(self.out) >= 5 or sum(self.out.values()) >= 1000)


TestDeliveries = Deliveries.TestCase


@given(st.lists(MIDS, unique=True, min_size=1))
def test_nothing_is_acknowledged_twice(mids):
    """Each delivery can be acknowledged once."""
    flight = InFlight(max_messages=100, max_bytes=100)
    for mid in mids:
        flight.add(mid, size=1)
    assert all(flight.remove(mid) for mid in mids)
    assert not any(flight.remove(mid) for mid in mids)
