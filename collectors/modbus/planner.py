"""Which registers to ask for together: the fewest reads the device allows. Pure.

A read is a contiguous range of one table. Wanted values are joined into one read while the range
stays within the block limit, bridges no wider gap than the profile allows, and holds no range that
the device is known to refuse.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Self

from collectors.profile import ModbusLimits, ModbusPoint, ModbusSection, RegisterTable

REGISTERS_OF = {
    "bit": 1,
    "int16": 1,
    "uint16": 1,
    "int32": 2,
    "uint32": 2,
    "float32": 2,
    "int64": 4,
    "uint64": 4,
    "float64": 4,
}
BIT_TABLES = ("coil", "discrete")
BITS_IN_ONE_READ = 2000
"""Modbus Application Protocol V1.1b3, 6.1 and 6.2."""


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """`count` registers, or bits, of one table from wire address `address` on."""

    table: RegisterTable
    address: int
    count: int

    @property
    def end(self) -> int:
        """The address after the last."""
        return self.address + self.count

    def holds(self, other: Range) -> bool:
        """Whether a read of this range reads the other along."""
        return self.table == other.table and self.address <= other.address and other.end <= self.end

    def __str__(self) -> str:
        last = f"-{self.end - 1}" if self.count > 1 else ""
        return f"{self.table} {self.address}{last}"


@dataclass(frozen=True, slots=True)
class Block:
    """One read and the values wanted from it, in order of address."""

    range: Range
    wanted: tuple[Range, ...]

    @classmethod
    def of(cls, wanted: tuple[Range, ...]) -> Self:
        """The smallest read that holds them all."""
        first, end = wanted[0], max(span.end for span in wanted)
        return cls(Range(first.table, first.address, end - first.address), wanted)

    def halves(self) -> tuple[Block, ...]:
        """Two reads of half the values each; nothing where there is one value only."""
        middle = len(self.wanted) // 2
        if middle == 0:
            return ()
        return Block.of(self.wanted[:middle]), Block.of(self.wanted[middle:])


def value_range(point: ModbusPoint, section: ModbusSection) -> Range:
    """Where a point's value stands; it is never split over two reads."""
    return Range(point.table or section.table, point.address, REGISTERS_OF[point.type])


def exponent_range(point: ModbusPoint, section: ModbusSection) -> Range | None:
    """Where a point's power of ten stands, if it has one."""
    if point.exponent_address is None:
        return None
    return Range(point.table or section.table, point.exponent_address, 1)


def wanted_ranges(section: ModbusSection) -> list[Range]:
    """Every range the profile's points need."""
    ranges = [value_range(point, section) for point in section.points]
    exponents = [exponent_range(point, section) for point in section.points]
    return ranges + [r for r in exponents if r is not None]


def plan(
    wanted: Iterable[Range], limits: ModbusLimits, refused: Collection[Range] = ()
) -> tuple[Block, ...]:
    """Cover the wanted ranges with the fewest reads; those that hold a refused one are left out.

    Taking the ranges in order and joining while allowed is optimal here, because whatever is
    allowed for a block is allowed for any part of it. The result depends on the inputs' values
    only, not on their order.
    """
    blocks: list[Block] = []
    for span in sorted(set(wanted)):
        if any(span.holds(bad) for bad in refused):
            continue
        if blocks and (joined := _joined(blocks[-1], span, limits, refused)):
            blocks[-1] = joined
        else:
            blocks.append(Block.of((span,)))
    return tuple(blocks)


def _joined(
    block: Block, span: Range, limits: ModbusLimits, refused: Collection[Range]
) -> Block | None:
    """The block with the span added, or None where one read may not hold both."""
    if span.table != block.range.table:
        return None
    per_register = 16 if span.table in BIT_TABLES else 1
    if span.address - block.range.end > limits.largest_gap * per_register:
        return None
    joined = Block.of((*block.wanted, span))
    if joined.range.count > min(limits.largest_block * per_register, BITS_IN_ONE_READ):
        return None
    if any(joined.range.holds(bad) for bad in refused):
        return None
    return joined
