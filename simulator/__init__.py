"""A physical plant, and the Modbus, SNMP and DCGM-exporter servers in front of it."""
