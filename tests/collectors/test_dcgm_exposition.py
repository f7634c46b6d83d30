"""The exporter's text: every sample found, nothing trusted, nothing parsed twice."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from collectors.exporter import exposition as exposition_module
from collectors.exporter.exposition import Exposition, parse_head


def recognise(name: str, labels: Mapping[str, str]) -> tuple[str, str] | None:
    return (name, labels.get("UUID", "")) if name.startswith("DCGM_") else None


def read(*texts: bytes) -> tuple[Exposition[tuple[str, str]], dict[tuple[str, str], float]]:
    """The exposition after all texts, and the last one's values by series."""
    exposition = Exposition(recognise)
    for text in texts:
        values = exposition.read(text).values
    return exposition, {s: v for s, v in zip(exposition.series, values, strict=True) if s}


TEXT = b"""\
# HELP DCGM_FI_DEV_POWER_USAGE Power draw (in W).
# TYPE DCGM_FI_DEV_POWER_USAGE gauge
DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-a",modelName="NVIDIA H100"} 703.459000
DCGM_FI_DEV_POWER_USAGE{gpu="1",UUID="GPU-b",modelName="NVIDIA H100"} 64.100000
# HELP go_goroutines Number of {goroutines} that exist.
go_goroutines 12
go_gc_duration_seconds{quantile="0"} 2.8e-05
"""


def test_the_wanted_samples_are_read() -> None:
    exposition, values = read(TEXT)
    power = "DCGM_FI_DEV_POWER_USAGE"
    assert values == {(power, "GPU-a"): 703.459, (power, "GPU-b"): 64.1}
    assert exposition.read(TEXT).malformed == 0


def test_numbers_follow_the_text_and_series_keep_their_place() -> None:
    exposition, _ = read(TEXT)
    again = exposition.read(TEXT.replace(b"703.459000", b"1").replace(b"64.100000", b"2"))
    assert again.values[1:] == [1.0, 2.0]


def test_a_series_that_is_gone_is_nan_and_a_new_one_comes_last() -> None:
    exposition, _ = read(TEXT)
    scrape = exposition.read(TEXT.replace(b'UUID="GPU-a"', b'UUID="GPU-c"'))
    assert math.isnan(scrape.values[1])
    assert scrape.values[2:] == [64.1, 703.459]
    assert exposition.series[3] == ("DCGM_FI_DEV_POWER_USAGE", "GPU-c")


def test_nothing_is_parsed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    exposition, _ = read(TEXT)
    monkeypatch.setattr(exposition_module, "parse_head", None)
    assert exposition.read(TEXT).values[1] == 703.459


@pytest.mark.parametrize(
    ("number", "expected"),
    [(b"1e3", 1000.0), (b"-0.5", -0.5), (b"+Inf", math.inf), (b"42 1700000000000", 42.0)],
)
def test_numbers_of_every_form(number: bytes, expected: float) -> None:
    _, values = read(b'DCGM_X{UUID="a"} ' + number + b"\n")
    assert values["DCGM_X", "a"] == expected


def test_label_values_may_hold_anything_escaped() -> None:
    name, labels = parse_head(rb'X{a="1,2",b="}} 7",c="say \"hi\"\n\\",d=""')
    assert name == "X"
    assert labels == {"a": "1,2", "b": "}} 7", "c": 'say "hi"\n\\', "d": ""}


def test_a_brace_in_a_label_does_not_split_the_sample() -> None:
    _, values = read(b'DCGM_X{UUID="a",pod="x} 5"} 7\n')
    assert values == {("DCGM_X", "a"): 7.0}


@pytest.mark.parametrize(
    "line",
    [
        b'DCGM_X{UUID="a"} ',
        b'DCGM_X{UUID="a"} abc',
        b'DCGM_X{UUID="a"} 1 2 3',
        b'DCGM_X{UUID="\xff"} 1',
        b'DCGM_X{UUID="a} 1',
        b"DCGM_X{UUID=a} 1",
        b'9X{UUID="a"} 1',
    ],
)
def test_what_is_no_sample_is_counted_and_gives_nothing(line: bytes) -> None:
    exposition = Exposition(recognise)
    scrape = exposition.read(line + b"\n" + TEXT)
    assert scrape.malformed == 1
    assert sum(not math.isnan(value) for value in scrape.values) == 2


def test_a_line_without_its_end_may_be_half_a_number_and_is_left_out() -> None:
    scrape = Exposition(recognise).read(b'DCGM_X{UUID="a"} 703.459')
    assert scrape.broke_off
    assert len(scrape.values) == 1


def test_one_series_with_two_numbers_is_a_conflict() -> None:
    exposition = Exposition(recognise)
    twice = b'DCGM_X{UUID="a"} 1\nDCGM_X{UUID="b"} 2\nDCGM_X{UUID="a"} '
    assert exposition.read(twice + b"3\n").conflicts == [1]
    assert exposition.read(twice + b"1\n").conflicts == []


def test_labels_that_change_with_every_job_cost_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition_module, "SPARE_HEADS", 10)
    exposition = Exposition(recognise)
    for job in range(200):
        scrape = exposition.read(b'DCGM_X{UUID="a",pod="%d"} 5\n' % job)
        assert [value for value in scrape.values if not math.isnan(value)] == [5.0]
    assert exposition.restarts > 10
    assert len(exposition.series) < 20


LABELS = st.dictionaries(
    st.sampled_from(["UUID", "gpu", "pod", "x"]), st.text(st.characters(codec="utf-8"), max_size=8)
)
SAMPLES = st.lists(
    st.tuples(
        st.sampled_from(["DCGM_A", "DCGM_B", "other"]),
        LABELS.filter(bool),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
    max_size=8,
    unique_by=lambda sample: (sample[0], tuple(sorted(sample[1].items()))),
)


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@given(SAMPLES)
def test_any_exposition_is_read_as_the_reference_parser_reads_it(
    samples: list[tuple[str, dict[str, str], float]],
) -> None:
    lines = [
        name + "{" + ",".join(f'{k}="{escaped(v)}"' for k, v in labels.items()) + f"}} {value!r}\n"
        for name, labels, value in samples
    ]
    exposition = Exposition(lambda name, labels: (name, tuple(sorted(labels.items()))))
    scrape = exposition.read("".join(lines).encode())
    ours = dict(zip(exposition.series[1:], scrape.values[1:], strict=True))
    theirs = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for line in lines
        for family in text_string_to_metric_families(line)
        for sample in family.samples
    }
    assert ours == theirs
