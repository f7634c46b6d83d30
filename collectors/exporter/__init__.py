"""Devices behind an exporter: Prometheus text over HTTP, series by series, as rows of a device."""
