"""The five states of quality, one by one, and what a counter may and may not do."""

from __future__ import annotations

import numpy as np
import pytest

from collectors.profile import Counter, Point
from collectors.quality import Judge
from collectors.quality_frozen import FROZEN_AFTER_POLLS
from facility.quality import Quality

GOOD, UNCERTAIN, STALE, SUBSTITUTED, BAD = Quality

VOLTAGE = Point(quantity="voltage_v", plausible=(200.0, 260.0))
FREQUENCY = Point(quantity="frequency_hz")


def energy(**facts: object) -> Point:
    """An energy register in kWh, so 1 count is 1000 Wh."""
    return Point(quantity="energy_imported_wh", scale=1000.0, counter=Counter(**facts))


def judge_all(point: Point, *readings: float, every_s: float = 1.0, **options: object) -> list[int]:
    """Quality of one row read again and again, `every_s` apart."""
    judge = Judge([point], every_s, **options)
    return [
        int(judge.judge(np.array([value]), None, int(i * every_s * 1e6))[0])
        for i, value in enumerate(readings)
    ]


def test_a_value_in_range_is_good() -> None:
    assert judge_all(VOLTAGE, 230.0, 200.0, 260.0) == [GOOD] * 3


def test_outside_the_catalogue_range_is_uncertain() -> None:
    assert judge_all(FREQUENCY, 39.9, 70.1) == [UNCERTAIN] * 2


def test_outside_the_profiles_narrower_range_is_uncertain() -> None:
    assert judge_all(VOLTAGE, 199.0, 261.0) == [UNCERTAIN] * 2


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_bad_and_becomes_nan(value: float) -> None:
    values = np.array([value, 230.0])
    quality = Judge([VOLTAGE, VOLTAGE], 1.0).judge(values, None, 0)
    assert quality.tolist() == [BAD, GOOD]
    assert np.isnan(values[0])


def test_missing_is_bad_whatever_stands_there() -> None:
    values = np.array([230.0, 231.0])
    quality = Judge([VOLTAGE, VOLTAGE], 1.0).judge(values, np.array([True, False]), 0)
    assert quality.tolist() == [BAD, GOOD]
    assert np.isnan(values[0])


def test_a_repeat_is_stale_and_a_missing_row_of_it_is_bad() -> None:
    quality = Judge([VOLTAGE, VOLTAGE], 1.0).judge(
        np.array([230.0, np.nan]), None, 0, repeated=True
    )
    assert quality.tolist() == [STALE, BAD]


def test_a_repeat_of_some_rows_leaves_the_others() -> None:
    judge = Judge([VOLTAGE, VOLTAGE], 1.0)
    quality = judge.judge(np.array([230.0, 231.0]), None, 0, repeated=np.array([False, True]))
    assert quality.tolist() == [GOOD, STALE]


def test_what_the_driver_filled_in_is_substituted() -> None:
    judge = Judge([VOLTAGE, VOLTAGE], 1.0)
    quality = judge.judge(np.array([230.0, 231.0]), None, 0, substituted=np.array([True, False]))
    assert quality.tolist() == [SUBSTITUTED, GOOD]


def frozen_run(values: list[list[float]]) -> list[list[int]]:
    judge = Judge([VOLTAGE] * len(values[0]), 1.0)
    return [
        judge.judge(np.array(row), None, i * 1_000_000).tolist() for i, row in enumerate(values)
    ]


def test_a_device_whose_noisy_rows_all_stop_is_stale_until_one_moves() -> None:
    moving = [[230.0 + i % 7, 240.0] for i in range(150)]
    still = [[230.0, 240.0]] * (FROZEN_AFTER_POLLS + 1)
    result = frozen_run([*moving, *still, [231.0, 240.0]])
    assert result[150 + FROZEN_AFTER_POLLS - 1] == [GOOD, GOOD]
    assert result[150 + FROZEN_AFTER_POLLS] == [STALE, STALE]
    assert result[-1] == [GOOD, GOOD]


def test_one_row_that_stands_still_beside_a_moving_one_is_good() -> None:
    rows = [[230.0 + i % 7, 230.0 + (i % 7 if i < 150 else 0)] for i in range(150 + 200)]
    assert frozen_run(rows)[-1] == [GOOD, GOOD]


def test_a_device_that_seldom_moves_is_never_called_frozen() -> None:
    rows = [[230.0 + (i // 10) % 5] for i in range(300)] + [[230.0]] * 300
    assert frozen_run(rows) == [[GOOD]] * 600


def test_polls_without_any_value_are_bad_and_not_a_sign_of_freezing() -> None:
    rows = [[230.0 + i % 7] for i in range(150)] + [[np.nan]] * 100 + [[230.0 + 149 % 7]]
    result = frozen_run(rows)
    assert result[-2:] == [[BAD], [GOOD]]


def test_a_counter_that_grows_is_good() -> None:
    assert judge_all(energy(), 5000.0, 5000.0, 9000.0, 1e9) == [GOOD] * 4


def test_a_counter_that_goes_back_is_uncertain_and_the_next_is_measured_by_the_last_good_one() -> (
    None
):
    assert judge_all(energy(), 9e6, 4e6, 9.001e6) == [GOOD, UNCERTAIN, GOOD]


def test_a_step_back_within_the_resolution_is_rounding() -> None:
    assert judge_all(energy(resolution=2), 9e6, 9e6 - 2000, 9e6 - 4001) == [GOOD, GOOD, UNCERTAIN]


def test_a_rollover_is_good() -> None:
    assert judge_all(energy(modulus=1e6), 999_998e3, 999_999e3, 1e3) == [GOOD] * 3


def test_going_back_by_less_than_half_the_modulus_is_no_rollover() -> None:
    assert judge_all(energy(modulus=1e6), 900_000e3, 500_000e3) == [GOOD, UNCERTAIN]


def test_a_rollover_too_fast_for_the_rate_is_uncertain() -> None:
    point = energy(modulus=1e6, max_rate=10)
    assert judge_all(point, 999_999e3, 13e3, every_s=1.0) == [GOOD, UNCERTAIN]
    assert judge_all(point, 999_999e3, 12e3, every_s=1.0) == [GOOD, GOOD]


def test_at_or_above_its_modulus_a_counter_is_uncertain() -> None:
    assert judge_all(energy(modulus=1e6), 1e9, 999_999e3) == [UNCERTAIN, GOOD]


def test_an_allowed_reset_is_good_and_one_that_lands_too_high_is_not() -> None:
    allowed = energy(resets="on_power_loss")
    assert judge_all(allowed, 9e6, 0.0, 1000.0) == [GOOD] * 3
    assert judge_all(allowed, 9e6, 5e6) == [GOOD, UNCERTAIN]
    assert judge_all(energy(resets="by_user", max_rate=1), 9e6, 3e6) == [GOOD, UNCERTAIN]
    assert judge_all(energy(resets="by_user", max_rate=1), 9e6, 2e3) == [GOOD, GOOD]


def test_a_jump_above_the_rate_is_uncertain_and_harms_nothing_after_it() -> None:
    readings = [1e6, 9e9, 1.001e6, 1.002e6]
    assert judge_all(energy(max_rate=1), *readings) == [GOOD, UNCERTAIN, GOOD, GOOD]


def test_after_a_meter_swap_only_the_first_reading_is_uncertain() -> None:
    assert judge_all(energy(), 9e6, 5e6, 5.001e6, 5.002e6) == [GOOD, UNCERTAIN, GOOD, GOOD]


def test_an_old_spike_does_not_vouch_for_a_new_one() -> None:
    readings = [1e6, 9e9, 1.001e6, 9e9]
    assert judge_all(energy(max_rate=1), *readings) == [GOOD, UNCERTAIN, GOOD, UNCERTAIN]


def test_a_long_gap_allows_a_long_step() -> None:
    judge = Judge([energy(max_rate=1)], 1.0)
    assert judge.judge(np.array([1e6]), None, 0)[0] == GOOD
    assert judge.judge(np.array([np.nan]), None, 1_000_000)[0] == BAD
    assert judge.judge(np.array([1e6 + 100e3]), None, 100_000_000)[0] == GOOD


def test_a_sample_that_came_early_is_measured_by_the_interval() -> None:
    judge = Judge([energy(max_rate=1)], 10.0)
    judge.judge(np.array([1e6]), None, 0)
    assert judge.judge(np.array([1e6 + 10e3]), None, 100)[0] == GOOD


def test_the_sites_rates_and_the_devices_scales_replace_the_profiles() -> None:
    slow = {"max_rates": [2.0], "scales": [1.0]}
    assert judge_all(energy(max_rate=1e9), 1000.0, 1004.0, **slow) == [GOOD, UNCERTAIN]
    assert judge_all(energy(max_rate=1e9), 1000.0, 1003.0, **slow) == [GOOD, GOOD]


def test_a_device_without_points_has_no_quality() -> None:
    assert Judge([], 1.0).judge(np.empty(0), None, 0).shape == (0,)
