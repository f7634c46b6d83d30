"""The `busway` command: parses, calls, and turns errors into one line and an exit status.

A command imports what it runs when it runs, so that `busway --help` answers at once.
"""

from __future__ import annotations

import sys

import typer

from busway.commands import alerts, devices, lake, run
from busway.leaving import leave_within
from busway.options import LogFormatOption, LogLevelOption
from facility.errors import BuswayError, QueryError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Telemetry for the power and cooling of AI data centres: devices, Kafka, Parquet, PUE.",
)
GROUPS = {
    "Run": run.app,
    "Alerts": alerts.app,
    "Ask the lake": lake.app,
    "Devices": devices.app,
}
for panel, group in GROUPS.items():
    for command in group.registered_commands:
        command.rich_help_panel = panel
    for subgroup in group.registered_groups:
        subgroup.rich_help_panel = panel
    app.add_typer(group)

LEAVE_SECONDS = 3.0
USAGE_STATUS = 2
"""The question was wrong; asking it differently can help."""


def main() -> None:
    """The process of one command; it ends soon after the command, whatever threads hang."""
    status = 1
    try:
        status = run_command()
    finally:
        leave_within(LEAVE_SECONDS, status)
    sys.exit(status)


def run_command() -> int:
    """Run the command line; an error of ours is one line and status 1, a bad question status 2."""
    try:
        app()
    except QueryError as error:
        print(f"busway: {error}", file=sys.stderr)
        return USAGE_STATUS
    except BuswayError as error:
        print(f"busway: {error}", file=sys.stderr)
        return 1
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


@app.callback()
def _logging(log_level: LogLevelOption = "info", log_format: LogFormatOption = "console") -> None:
    from busway.logs import set_up_logs

    set_up_logs(log_level, log_format)
