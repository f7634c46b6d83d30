"""What a rule watches for: one small model each kind of condition.

A threshold is a number in the quantity's unit, or refers to what it is to be compared with: with
`of`, it is so many times that; with `plus`, that is added. Names there are quantities that the
device gives, values that the site states, or KNOWN_OF_SITE.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from alerts.watch import ANY_ROW, MOST_CODE, Measure
from facility.catalogue import load_catalogue
from facility.model import Model

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
PlaceLevel = Literal["device", "rack", "row", "hall", "site"]

KNOWN_OF_SITE = {
    "max_power_w": "the meter's `max_power_kw`",
    "provisioned_w": "the site's `provisioned_mw`",
}
"""Figures that the rest of the site file states."""


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[
    tuple[str, ...], BeforeValidator(_as_tuple, json_schema_input_type=str | tuple[str, ...])
]
"""One, or a list."""


class Judging(NamedTuple):
    """How a condition is decided, as `alerts.watch.Watch` has it."""

    measure: Measure
    fire: float
    clear: float
    below: bool = False
    window_us: int = 0
    mask: int = 0
    codes: tuple[int, ...] = ()


def microseconds(seconds: float) -> int:
    """Give seconds as whole microseconds."""
    return round(seconds * 1e6)


class Reference(Model):
    """What thresholds are compared with, other than themselves."""

    of: Names = ()
    """Thresholds are so many times these, all multiplied."""
    plus: Names = ()
    """These are added to the thresholds."""
    at: PlaceLevel = "device"
    """Where the reading is taken that `of` or `plus` names: of the device, or of another one in
    its rack, row or hall, or anywhere."""

    @property
    def names(self) -> tuple[str, ...]:
        """All it refers to."""
        return (*self.of, *self.plus)

    @model_validator(mode="after")
    def _one_reading(self) -> Self:
        readings = [name for name in self.names if name in load_catalogue()]
        if len(readings) > 1:
            raise ValueError(f"refers to {len(readings)} quantities; one can be compared with")
        if readings and self.of and self.plus and readings[0] in self.of:
            raise ValueError(f"multiples of the reading {readings[0]} can have no plus")
        if self.at != "device" and not readings:
            raise ValueError("at: is where a reading is taken, and of and plus name none")
        return self


class Above(Reference):
    """The value is above a threshold."""

    fire: Number
    clear: Number
    """At or below it, the condition is over; between the two, nothing changes."""

    @model_validator(mode="after")
    def _clears_below(self) -> Self:
        if self.clear > self.fire:
            raise ValueError(f"clear ({self.clear:g}) must not be above fire ({self.fire:g})")
        return self

    def judging(self) -> Judging:
        """Give how it is decided."""
        return Judging(Measure.LATEST, self.fire, self.clear)


class Below(Reference):
    """The value is below a threshold."""

    fire: Number
    clear: Number
    """At or above it, the condition is over; between the two, nothing changes."""

    @model_validator(mode="after")
    def _clears_above(self) -> Self:
        if self.clear < self.fire:
            raise ValueError(f"clear ({self.clear:g}) must not be below fire ({self.fire:g})")
        return self

    def judging(self) -> Judging:
        """Give how it is decided."""
        return Judging(Measure.LATEST, self.fire, self.clear, below=True)


class Rate(Reference):
    """The value changes by more than so much within a window: upward, or (negative) downward."""

    per_seconds: Positive
    above: Number | None = None
    below: Number | None = None
    clear: Number

    @model_validator(mode="after")
    def _one_direction(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("give either above or below")
        if self.above is not None and self.clear > self.above:
            raise ValueError(f"clear ({self.clear:g}) must not be above {self.above:g}")
        if self.below is not None and self.clear < self.below:
            raise ValueError(f"clear ({self.clear:g}) must not be below {self.below:g}")
        return self

    def judging(self) -> Judging:
        """Give how it is decided."""
        is_falling = self.above is None
        fire = self.below if self.above is None else self.above
        assert fire is not None
        window_us = microseconds(self.per_seconds)
        return Judging(Measure.RATE, fire, self.clear, below=is_falling, window_us=window_us)


class Spread(Model):
    """Like parts of a device differ: its phases, or any parts that only a number tells apart."""

    across: Literal["phases", "siblings"]
    measure: Literal["nema", "max_min"] = "nema"
    """Largest deviation from the mean over the mean; or largest less smallest, over the mean."""
    above: Positive
    clear: Annotated[float, Field(strict=True, ge=0)]

    @model_validator(mode="after")
    def _clears_below(self) -> Self:
        if self.clear > self.above:
            raise ValueError(f"clear ({self.clear:g}) must not be above {self.above:g}")
        return self

    def judging(self) -> Judging:
        """Give how it is decided."""
        measure = Measure.NEMA if self.measure == "nema" else Measure.MAX_MIN
        return Judging(measure, self.above, self.clear)


class PathSum(Reference):
    """The sum over several devices: of those that feed the same load, or stand in one place."""

    by: Literal["survivors", "rack", "row", "hall"] = "survivors"
    """`survivors`: what feeds the same load or stands on two sides of a rack, since one of them
    carries it all when the other fails."""
    above: Number
    clear: Number

    @model_validator(mode="after")
    def _clears_below(self) -> Self:
        if self.clear > self.above:
            raise ValueError(f"clear ({self.clear:g}) must not be above {self.above:g}")
        return self

    def judging(self) -> Judging:
        """Give how it is decided."""
        return Judging(Measure.SUM, self.above, self.clear)


class NoData(Model):
    """Nothing has come for `stale_after_seconds`; without a quantity: of the whole device."""

    def judging(self) -> Judging:
        """Give how it is decided."""
        return Judging(Measure.SILENCE, math.inf, math.inf)


class Frozen(Model):
    """Fresh samples show one and the same value."""

    for_seconds: Positive

    def judging(self) -> Judging:
        """Give how it is decided."""
        seconds = self.for_seconds
        return Judging(Measure.FROZEN, seconds, seconds, window_us=microseconds(seconds))


Code = Annotated[int, Field(strict=True, ge=1, le=MOST_CODE)]


class Codes(Model):
    """The value is one of certain codes."""

    any_of: Annotated[tuple[Code, ...], Field(min_length=1)]

    def judging(self) -> Judging:
        """Give how it is decided."""
        return Judging(Measure.LATEST, 0.0, 0.0, codes=self.any_of)


def _one_bit(number: int) -> int:
    if number.bit_count() != 1:
        raise ValueError(f"{number} is not one bit; write 1, 2, 4, 8 and so on")
    return number


Bit = Annotated[int, Field(strict=True, ge=1, le=2**52), AfterValidator(_one_bit)]


class Bits(Model):
    """The value, a word of flags, has one of certain bits set: 1, 2, 4, 8 and so on."""

    any_of: Annotated[tuple[Bit, ...], Field(min_length=1)]

    def judging(self) -> Judging:
        """Give how it is decided."""
        return Judging(Measure.LATEST, 0.0, 0.0, mask=sum(set(self.any_of)))


class Count(Model):
    """So many events within a window: the value has become another, above 0."""

    events: Annotated[int, Field(strict=True, ge=1)]
    within_seconds: Positive
    by: PlaceLevel = "device"
    """What events are counted together."""
    codes: tuple[Code, ...] = ()
    """Only these values count."""
    bits: tuple[Bit, ...] = ()
    """Only these bits count."""

    def judging(self) -> Judging:
        """Give how it is decided."""
        return Judging(
            Measure.COUNT,
            math.nextafter(self.events, 0.0),
            0.0,
            window_us=microseconds(self.within_seconds),
            mask=sum(set(self.bits)),
            codes=self.codes,
        )


class Sql(Model):
    """A query over the lake gives a row for a device, or a `value` in it that is above `above`."""

    query: str = Field(min_length=1)
    """Gives rows of `device` and, where there is a threshold, `value`."""
    every_seconds: Positive
    timeout_seconds: Positive = 60.0
    """After so long a query is interrupted; its alerts will be without data."""
    above: Number | None = None
    clear: Number | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.above is None) != (self.clear is None):
            raise ValueError("give above and clear together, or neither")
        if self.above is not None and self.clear is not None and self.clear > self.above:
            raise ValueError(f"clear ({self.clear:g}) must not be above {self.above:g}")
        return self

    def judging(self) -> Judging:
        """Give how it is decided."""
        if self.above is None or self.clear is None:
            return Judging(Measure.LATEST, ANY_ROW, ANY_ROW)
        return Judging(Measure.LATEST, self.above, self.clear)


Condition = Above | Below | Rate | Spread | PathSum | NoData | Frozen | Codes | Bits | Count | Sql
