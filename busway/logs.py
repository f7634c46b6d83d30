"""Logging: structlog, one event a line, on standard error."""

from __future__ import annotations

import logging
import sys
from typing import TextIO, cast

import structlog

from busway.options import LogFormat


class _StandardError:
    """Whatever standard error is when a line is written, not when logging was set up."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def set_up_logs(level: str = "info", log_format: LogFormat = "console") -> None:
    """Send every event, and what libraries log, to standard error as lines or as JSON."""
    renderer = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks
            if log_format == "json"
            else structlog.dev.set_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _StandardError())),
    )
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s [%(levelname)s] %(message)s"
    )
    # Client libraries narrate every retry; our own events say the same once.
    for name in ("pymodbus", "pysnmp", "aiohttp"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
