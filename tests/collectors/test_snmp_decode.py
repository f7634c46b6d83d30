from __future__ import annotations

import math

import numpy as np
import pytest

from collectors.profile import Counter, Match, SnmpPoint
from collectors.snmp.decode import Conversion, read_numbers
from collectors.snmp.session import Missing


def point(**given):
    return SnmpPoint(**{"quantity": "current_a", "oid": "1.3.6.1.0", **given})


def convert(raw, *, digits=0, fahrenheit=False, **given):
    conversion = Conversion.for_rows([point(**given)], [digits], [fahrenheit])
    return conversion.convert(np.array([raw], float)).item()


@pytest.mark.parametrize(
    ("raw", "given", "value"),
    [
        (2079, {"scale": 0.1}, 207.9),  # exactly, not 207.90000000000003
        (114, {"scale": 10}, 1140.0),
        (96, {"scale": 0.01}, 0.96),
        (8, {"scale": -1, "offset": 8}, 0.0),
        (2716, {"scale": 0.1, "digits": 0}, 271.6),
        (12500, {"digits": 3}, 12.5),
        (215, {"digits": 1, "scale": 0.01}, 0.215),
        (544, {"scale": 60}, 32640.0),
    ],
)
def test_raw_numbers_become_exact_values(raw, given, value):
    digits = given.pop("digits", 0)
    assert convert(raw, digits=digits, **given) == value


def test_fahrenheit_becomes_celsius():
    assert convert(770, scale=0.1, fahrenheit=True) == 25.0


def test_without_the_device_s_digits_there_is_no_value():
    assert math.isnan(convert(12500, digits=None))


def test_the_worth_of_a_count_follows_digits_and_scale():
    points = [point(scale=100), point(), point(scale=0.1)]
    conversion = Conversion.for_rows(points, [0, 2, 0], [False, False, True])
    assert conversion.unit_per_count == pytest.approx([100, 0.01, 0.1 * 5 / 9])


def test_a_device_s_word_for_no_value_is_no_value():
    points = [
        point(sentinels=(-1,)),
        point(sentinels=(-410, 32767)),
        point(negative_means_missing=True),
        point(),
    ]
    conversion = Conversion.for_rows(points, [0] * 4, [False] * 4)
    assert conversion.unavailable(np.array([-1.0, 32767, -20, -1])).tolist() == [1, 1, 1, 0]
    assert conversion.unavailable(np.array([0.0, -1, 0, np.nan])).tolist() == [0, 0, 0, 0]


def test_what_is_no_number_says_why():
    raw, reasons = read_numbers(
        [7, b" 23.5 ", b"notsupported", Missing.NO_SUCH_INSTANCE, None, (1, 3, 6), b"\xff\0"]
    )
    assert raw[:2].tolist() == [7.0, 23.5]
    assert np.isnan(raw[2:]).all()
    assert reasons == {
        2: "expected a number, found text 'notsupported'",
        3: "noSuchInstance",
        4: "not answered",
        5: "expected a number, found an OBJECT IDENTIFIER",
        6: "expected a number, found text '\ufffd'",
    }


def test_nothing_is_converted_without_rows():
    conversion = Conversion.for_rows([], [], [])
    assert conversion.convert(np.array([])).shape == (0,)
    assert conversion.unavailable(np.array([])).shape == (0,)


def test_columns_about_a_row_need_an_index():
    with pytest.raises(ValueError, match="give the index"):
        point(where=Match(oid="1.3.6.2", equals=3))


def test_counter_facts_stay_in_counts():
    energy = point(quantity="energy_imported_wh", scale=100, counter=Counter(modulus=2**32))
    assert energy.counter is not None
    assert energy.counter.modulus == 2**32
