"""A data centre with physics: IT load, power path, cooling, weather, and its true energies."""

from simulator.plant.plant import Plant

__all__ = ["Plant"]
