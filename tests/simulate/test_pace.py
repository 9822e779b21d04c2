"""Frame slots and beats, on a clock that moves only when told."""

from __future__ import annotations

from threading import Event

from hypothesis import given
from hypothesis import strategies as st

from edge.simulate.pace import FrameSlots, Metronome


class FakeTime(Event):
    """A clock, and an event whose `wait` moves it."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 100.0

    def wait(self, timeout: float | None = None) -> bool:
        self.now_s += timeout or 0.0
        return self.is_set()

    def monotonic(self) -> float:
        return self.now_s


def slots(time: FakeTime, *, fps: float, until_s: float | None) -> FrameSlots:
    return FrameSlots(fps=fps, until_s=until_s, started_s=100.0, stop=time, monotonic=time.monotonic)


def test_slots_follow_the_clock() -> None:
    """A camera that is fast enough takes every picture at its time."""
    time = FakeTime()
    taken = []
    for at_s in slots(time, fps=5, until_s=1.0):
        assert abs(time.now_s - 100.0 - at_s) < 1e-9
        taken.append(at_s)
        time.now_s += 0.05
    assert taken == [0.0, 0.2, 0.4, 0.6, 0.8]


def test_a_late_camera_leaves_slots_out() -> None:
    """Scene time is wall time: what was missed is skipped and counted, never made up for."""
    time = FakeTime()
    running = slots(time, fps=5, until_s=2.0)
    taken = []
    for at_s in running:
        taken.append(at_s)
        time.now_s += 0.7 if at_s == 0.4 else 0.01
    assert taken == [0.0, 0.2, 0.4, 1.0, 1.2, 1.4, 1.6, 1.8]
    assert running.skipped == 2


@given(st.floats(1, 30), st.lists(st.floats(0, 1.5), min_size=1, max_size=40))
def test_slots_are_never_ahead_and_never_far_behind(fps: float, costs: list[float]) -> None:
    """Whatever each picture costs: a slot is not yielded before its time, is at most one slot old, and all add up."""
    time = FakeTime()
    running, index = slots(time, fps=fps, until_s=None), -1
    for cost_s, at_s in zip(costs, running, strict=False):
        late_s = time.now_s - 100.0 - at_s
        assert -1e-6 <= late_s <= 1 / fps + 1e-6
        assert round(at_s * fps) > index
        index = round(at_s * fps)
        time.now_s += cost_s
    assert running.skipped + len(costs) == index + 1


def test_a_stopped_camera_stops() -> None:
    """Once stopped no further slot comes."""
    time = FakeTime()
    running = iter(slots(time, fps=5, until_s=None))
    assert next(running) == 0.0
    time.set()
    assert list(running) == []


def test_an_even_beat() -> None:
    """A film shown by somebody fast enough keeps its speed."""
    time = FakeTime()
    beat = Metronome(fps=10, stop=time, monotonic=time.monotonic)
    beats = []
    for _ in range(5):
        assert beat.wait()
        beats.append(round(time.now_s - 100.0, 6))
        time.now_s += 0.03
    assert beats == [0.0, 0.1, 0.2, 0.3, 0.4]


def test_a_late_beat_is_not_followed_by_a_burst() -> None:
    """After a pause the beats go on at their distance; the missed ones are not made up for all at once."""
    time = FakeTime()
    beat = Metronome(fps=10, stop=time, monotonic=time.monotonic)
    beat.wait()
    time.now_s += 5.0
    beats = []
    for _ in range(4):
        beat.wait()
        beats.append(round(time.now_s - 105.0, 6))
    assert beats == [0.0, 0.0, 0.1, 0.2]


def test_a_stopped_beat_says_so() -> None:
    """`wait` is false once stopped."""
    time = FakeTime()
    beat = Metronome(fps=10, stop=time, monotonic=time.monotonic)
    assert beat.wait()
    time.set()
    assert not beat.wait()
