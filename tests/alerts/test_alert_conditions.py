"""Each condition: what makes it fire, what clears it, and what says nothing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from alert_rig import T0, Player, rule, times, us, watch

from alerts.samples import UNTIMELY, Samples, readings_of_polls, rounds, samples_of
from alerts.series import SeriesIndex
from alerts.watch import ANY_ROW, NO_ROW, POLLED, Measure
from facility.quality import Quality
from facility.reading import NAME, POLLS, READINGS

A, B, C = ("d", "a", "q"), ("d", "b", "q"), ("d", "c", "q")


def test_a_threshold_relative_to_a_rating_waits_for_the_rating():
    rating = ("d", "", "rated")
    player = Player([watch(inputs=(A,), relative_to=rating, fire=0.8, clear=0.7)])
    player.sample(0, (A, 90))
    assert player.told == []
    player.sample(1, (rating, 100))
    assert player.sample(2, (A, 81)) == ["firing"]
    assert player.told[0].threshold == 80.0
    assert player.sample(3, (A, 75)) == []
    assert player.sample(4, (A, 70)) == ["returned"]


def test_a_rate_is_told_only_when_the_window_is_covered():
    player = Player([watch(measure=Measure.RATE, window=60, fire=5.0, clear=4.0)])
    for second in range(40):
        player.sample(second, 20 + second * 0.2)
    assert player.told == []
    for second in range(40, 120):
        player.sample(second, 20 + second * 0.2)
    (state, at), *_ = times(player.told)
    assert state == "firing"
    assert 48 <= at <= 61
    assert player.told[0].value == pytest.approx(12.0)
    for second in range(120, 260):
        player.sample(second, 44)
    assert times(player.told)[-1][0] == "returned"


def test_a_rate_has_no_sign_of_its_own_and_forgets_over_a_gap():
    player = Player([watch(measure=Measure.RATE, window=60, fire=5.0, clear=4.0, stale=1000)])
    for second in range(100):
        player.sample(second, 100 - second)
    player.sample(400, 1000)
    assert player.told == []


@pytest.mark.parametrize(
    ("measure", "value"), [(Measure.NEMA, 0.2), (Measure.MAX_MIN, 0.3)], ids=["nema", "max_min"]
)
def test_imbalance_across_three_phases(measure, value):
    player = Player([watch(inputs=(A, B, C), measure=measure, fire=0.15, clear=0.1)])
    player.sample(0, 100, 100, 100)
    assert player.told == []
    player.sample(1, 90, 90, 120)
    assert player.told[0].value == pytest.approx(value)
    player.sample(2, 0, 0, 0)
    assert times(player.told)[1] == ("returned", 2.0)


def test_a_sum_over_the_path_needs_all_of_its_parts_fresh():
    player = Player([watch(inputs=(A, B), measure=Measure.SUM, fire=80, clear=72, stale=30)])
    before = UNTIMELY._value.get()
    player.sample(0, (A, 50))
    assert player.told == []
    assert player.sample(1, (B, 31)) == ["firing"]
    assert player.told[0].value == 81
    for second in range(2, 40):
        player.sample(second, (A, 45))
    player.tick(40)
    assert times(player.told)[1:] == [("no_data", 31.0)]
    assert UNTIMELY._value.get() == before, "it is the other input that is missing"
    assert player.sample(41, (B, 20)) == ["returned"]


def test_no_data_fires_by_the_clock_and_ends_with_a_sample():
    player = Player([watch(measure=Measure.SILENCE, stale=30, on=5)])
    player.sample(0, 1)
    player.tick(34)
    assert player.told == []
    player.tick(36)
    assert times(player.told) == [("firing", 35.0)]
    player.tick(1000)
    assert player.sample(1001, 1) == ["returned"]
    assert [(t.value, t.threshold) for t in player.told] == [(30, 30), (0, 30)]


def test_a_device_that_never_answers_is_missed_too():
    player = Player([watch(measure=Measure.SILENCE, stale=30)], at=100)
    player.tick(159)
    assert player.told == [], "its collector may have to start first"
    player.tick(161)
    assert times(player.told) == [("firing", 160.0)]


def test_frozen_is_fresh_samples_of_one_value():
    player = Player([watch(measure=Measure.FROZEN, fire=60, clear=60, stale=30)])
    for second in range(0, 70, 5):
        player.sample(second, 20)
    assert times(player.told) == [("firing", 65.0)]
    assert player.sample(70, 20.1) == ["returned"]
    player.tick(500)
    assert len(player.told) == 2


def test_events_are_counted_over_all_inputs_and_forgotten_with_the_window():
    player = Player(
        [watch(inputs=(A, B), measure=Measure.COUNT, fire=2, clear=2, window=160, stale=1000)]
    )
    player.sample(0, 79, 0)
    player.sample(10, 0, 0)
    player.sample(20, 79, 0)
    player.sample(30, 79, 48)
    player.sample(40, 79, 48)
    assert player.told == []
    assert player.sample(50, 79, 63) == ["firing"]
    assert player.told[0].value == 3
    for second in range(60, 400, 10):
        player.sample(second, 79, 63)
    (_, back_at) = times(player.told)[1]
    assert 180 <= back_at <= 200


def test_an_event_is_forgotten_when_its_place_is_taken_by_another():
    player = Player([watch(measure=Measure.COUNT, fire=1, clear=1, window=160, stale=1000)])
    for second in range(0, 400, 10):
        player.sample(second, second in {10, 180, 350})
    assert player.told == []


def test_a_row_of_a_query_is_a_breach_and_none_is_not():
    player = Player([watch(fire=ANY_ROW, clear=ANY_ROW)])
    player.sample(0, NO_ROW)
    assert player.sample(1, 0.01) == ["firing"]
    assert player.sample(2, NO_ROW) == ["returned"]
    assert player.told[1].value is None


def batch(*rows) -> pa.RecordBatch:
    """Of (seconds, device, component, quantity, value, quality)."""
    columns = list(zip(*rows, strict=True))
    arrays = [pa.array([T0 + us(at) for at in columns[0]]).cast(READINGS.field("ts").type)]
    arrays += [pa.array(names).dictionary_encode().cast(NAME) for names in columns[1:4]]
    arrays += [pa.array(columns[4], pa.float64()), pa.array(columns[5], pa.uint8())]
    return pa.RecordBatch.from_arrays(arrays, schema=READINGS)


def test_rows_are_found_by_their_names_and_only_those_that_may_be_judged():
    index = SeriesIndex([("e", "", "q"), ("d", "a", "q"), ("d", "a", "r")])
    rows = batch(
        (0, "d", "a", "q", 1.0, Quality.GOOD),
        (0, "d", "a", "unknown", 2.0, Quality.GOOD),
        (0, "d", "b", "q", 3.0, Quality.GOOD),
        (1, "e", "", "q", 4.0, Quality.UNCERTAIN),
        (1, "e", "a", "r", 5.0, Quality.GOOD),
        (2, "d", "a", "r", None, Quality.BAD),
        (3, "d", "a", "q", 6.0, Quality.STALE),
        (4, "d", "a", "q", 7.0, Quality.SUBSTITUTED),
        (9999, "d", "a", "q", 8.0, Quality.GOOD),
    )
    for _ in range(2):
        found = samples_of(rows, index, "c-0", T0)
        assert found.series.tolist() == [1, 0]
        assert found.value.tolist() == [1.0, 4.0]
        assert found.uncertain.tolist() == [False, True]
        assert found.at.tolist() == [T0, T0 + us(1)]
    assert len(samples_of(batch((0, "x", "y", "z", 1.0, 0)), index, "c-0", T0)) == 0


def test_a_remembered_answer_is_for_the_very_same_names():
    index = SeriesIndex([("d", "", "q"), ("e", "", "q")])
    one = batch((0, "d", "", "q", 1.0, 0), (0, "e", "", "q", 2.0, 0))
    other = batch((0, "e", "", "q", 1.0, 0), (0, "d", "", "q", 2.0, 0))
    assert samples_of(one, index, "c", T0).series.tolist() == [0, 1]
    assert samples_of(other, index, "c", T0).series.tolist() == [1, 0]
    assert samples_of(one, index, "c", T0).series.tolist() == [0, 1]


def test_a_series_that_comes_often_in_a_batch_is_judged_in_its_order():
    samples = Samples(
        np.array([0, 1, 0, 0, 1], np.int32), np.array([30, 10, 10, 20, 20]),
        np.arange(5.0), np.zeros(5, bool),
    )  # fmt: skip
    parts = [(part.series.tolist(), part.at.tolist()) for part in rounds(samples, 3)]
    assert parts == [([0, 1], [10, 10]), ([0, 1], [20, 20]), ([0], [30])]
    player = Player([watch(on=1)])
    burst = Samples(
        np.zeros(3, np.int32), T0 + np.array([us(2), us(0), us(1)]),
        np.array([20.0, 31, 31]), np.zeros(3, bool),
    )  # fmt: skip
    told = player.board.take(burst, T0, T0)
    assert times(told) == [("firing", 1.0), ("returned", 2.0)]


def test_a_poll_that_gave_nothing_is_no_sample():
    names = pa.array(["d", "e", "f"]).dictionary_encode().cast(NAME)
    outcomes = pa.array(["read", "failed", "dropped"]).dictionary_encode().cast(NAME)
    polls = pa.RecordBatch.from_arrays(
        [
            pa.array([T0] * 3).cast(POLLS.field("scheduled_at").type), names, outcomes,
            pa.array([4, 4, 0], pa.uint32()), pa.array([3, 0, 0], pa.uint32()),
            pa.array([0.1, 3.0, None]), pa.array([None, "timeout", "overrun"]),
        ],
        schema=POLLS,
    )  # fmt: skip
    index = SeriesIndex([(device, "", POLLED) for device in "def"])
    found = samples_of(readings_of_polls(polls), index, "c", T0)
    assert (found.series.tolist(), found.value.tolist()) == ([0], [0.75])


def test_what_was_kept_while_the_broker_was_away_says_nothing_of_now():
    player = Player([watch(stale=30)])
    player.sample(0, 31)
    player.tick(1000)
    late = Samples(
        np.zeros(1, np.int32), np.array([T0 + us(500)]), np.array([31.0]), np.zeros(1, bool)
    )
    before = UNTIMELY._value.get()
    assert player.board.take(late, T0 + us(1000), T0 + us(1000)) == []
    assert UNTIMELY._value.get() == before + 1
    assert player.sample(1001, 31) == ["firing"]


def test_rules_that_are_not_announced_tell_nothing():
    player = Player([watch()], [rule(is_announced=False)])
    player.sample(0, 31)
    assert player.told == []
