"""Alerts: rules on the stream of readings, what each stands at, and who is told."""
