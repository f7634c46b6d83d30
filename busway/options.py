"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from busway.format import Format

LogFormat = Literal["console", "json"]
LogLevelOption = Annotated[str, typer.Option("--log-level", envvar="BUSWAY_LOG_LEVEL")]
LogFormatOption = Annotated[LogFormat, typer.Option("--log-format", envvar="BUSWAY_LOG_FORMAT")]
SiteOption = Annotated[
    Path,
    typer.Option("--site", envvar="BUSWAY_SITE", help="The site file.", show_default=True),
]
LakeOption = Annotated[
    Path,
    typer.Option("--lake", envvar="BUSWAY_LAKE", help="The lake's directory, or a site file."),
]
HealthOption = Annotated[
    str,
    typer.Option("--health", help="Where to serve /metrics, /healthz and /readyz: HOST:PORT."),
]
EmbeddedBrokerOption = Annotated[
    str,
    typer.Option(
        "--embedded-broker",
        help="HOST:PORT of the embedded broker, instead of the site file's Kafka.",
    ),
]
StopOnEofOption = Annotated[
    bool,
    typer.Option("--stop-on-eof", hidden=True, help="End when standard input closes."),
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to print the answer.")]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", help="A file for the answer, instead of standard output."),
]
AsOfOption = Annotated[
    str,
    typer.Option(
        "--as-of", help="ISO time (UTC unless it says otherwise): the lake as it was then."
    ),
]
FromOption = Annotated[
    str, typer.Option("--from", help="ISO time; default: all that the meters cover.")
]
ToOption = Annotated[str, typer.Option("--to", help="ISO time.")]
GrainOption = Annotated[
    str, typer.Option("--grain", help="15 minutes, 1 hour, 1 day ..., or window.")
]
