"""Commands about devices, their profiles and the site file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busway.format import Format, written_to
from busway.options import FormatOption, OutputOption, SiteOption

app = typer.Typer()
profile_app = typer.Typer(no_args_is_help=True, help="The device profiles.")
app.add_typer(profile_app, name="profile")


@app.command()
def check(site: Annotated[Path, typer.Argument(help="The site file.")]) -> None:
    """Read a site file as every daemon would, with no network, and say what is wrong or in it."""
    from busway.check import check_site

    check_site(site)


@app.command()
def identify(
    host: Annotated[
        str,
        typer.Argument(
            help="An address: modbus://HOST[:PORT][?unit=N], snmp://HOST, http://HOST:PORT; "
            "a bare HOST[:PORT] is asked over every protocol."
        ),
    ],
    site: SiteOption = Path("site.yaml"),
    credential: Annotated[
        str, typer.Option(help="Log in with this credential of the site file.")
    ] = "",
    unit: Annotated[int | None, typer.Option(min=0, max=255, help="Modbus unit id.")] = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=300, help="Seconds for each protocol.")
    ] = 10.0,
    output_format: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Ask what stands at an address, and say which profile reads it and why."""
    from busway.identify import identify as identify_device

    with written_to(output, output_format):
        identify_device(
            host,
            site_file=site,
            credential=credential,
            unit=unit,
            timeout_seconds=timeout,
            output_format=output_format,
        )


@app.command()
def probe(
    target: Annotated[
        str, typer.Argument(help="A device of the site; with --profile, its address.")
    ],
    site: SiteOption = Path("site.yaml"),
    profile: Annotated[
        str, typer.Option(help="Read the address as this device model; needs no site.")
    ] = "",
    credential: Annotated[
        str, typer.Option(help="Log in with this credential of the site file.")
    ] = "",
    timeout: Annotated[
        float, typer.Option(min=0.1, max=300, help="Seconds for the whole reading.")
    ] = 10.0,
    save: Annotated[
        Path | None, typer.Option(help="Keep what it answered in this file, for dry-run.")
    ] = None,
    output_format: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Read a device once and print every point as sent and as converted, and what is wrong."""
    from busway.probe import probe as probe_device

    with written_to(output, output_format):
        probe_device(
            target,
            site_file=site,
            profile_name=profile,
            credential=credential,
            timeout_seconds=timeout,
            save=save,
            output_format=output_format,
        )


@app.command("dry-run")
def dry_run(
    profile: Annotated[str, typer.Argument(help="A profile's name, or 'auto' to identify it.")],
    capture: Annotated[
        Path,
        typer.Argument(
            help="A dump: snmprec, snmpwalk -On, 'address,value' CSV, or an exporter's text."
        ),
    ],
    output_format: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Read a captured dump as if its device stood there, and print every point."""
    from busway.dry_run import read_dump

    with written_to(output, output_format):
        read_dump(profile, capture, output_format)


@profile_app.command("list")
def profile_list(output_format: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """The device models that Busway reads, and what each map was checked against."""
    from busway.profiles import print_profiles

    with written_to(output, output_format):
        print_profiles(output_format)


@profile_app.command("show")
def profile_show(
    name: Annotated[str, typer.Argument(help="As 'busway profile list' names it.")],
    output_format: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Every point of a profile: what it is, where it stands on the device, how it is converted."""
    from busway.profiles import print_profile

    with written_to(output, output_format):
        print_profile(name, output_format)


@profile_app.command("check")
def profile_check(file: Annotated[Path, typer.Argument(help="A profile file.")]) -> None:
    """Read a profile file as the collector would, and say everything that is wrong in it."""
    from busway.profiles import check_profile

    check_profile(file)
