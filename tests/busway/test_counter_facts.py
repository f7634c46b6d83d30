"""What the lake is told of a meter's register."""

from __future__ import annotations

from busway.site import counter_facts
from facility.counter import CounterFacts


def test_a_registers_facts_are_in_watt_hours() -> None:
    facts = counter_facts("cyberpower-epdu2", "", "energy_imported_wh")
    assert facts == CounterFacts(modulus=2**32 * 100, resolution=100)  # counts of 0.1 kWh


def test_where_the_device_states_what_a_count_is_worth_its_modulus_is_not_known() -> None:
    facts = counter_facts("sunspec203-meter", "", "energy_imported_wh")
    assert facts is not None
    assert facts.modulus is None


def test_a_component_that_has_no_register_has_no_facts() -> None:
    assert counter_facts("cyberpower-epdu2", "outlet.1", "energy_imported_wh") is None
