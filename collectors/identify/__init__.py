"""Which profile a device is read with, by what it says of itself; and why."""
