"""Devices over SNMP: what to ask, how to ask it, what the answers mean."""
