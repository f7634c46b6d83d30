"""Dumps of real devices, read as if the device stood there: its answers, through the driver."""
