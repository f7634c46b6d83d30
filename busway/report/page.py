"""The page: the template, filled."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from string import Template

from busway.report.account import Account
from busway.report.account_section import account_section
from busway.report.per_mw_section import per_mw_section
from busway.report.power_section import power_section
from busway.report.pue_section import pue_section


def write_page(account: Account) -> str:
    """A whole HTML page that needs nothing from elsewhere."""
    template = files("busway.report").joinpath("page.html").read_text("utf-8")
    site = account.one("site")
    return Template(template).substitute(
        site=escape(site["site"]),
        month=account.month,
        period=escape(
            f"{account.local(account.from_at)} to {account.local(account.to_at)}, {account.zone} "
            f"time; boundary {site['boundary'] or 'not stated'}; a meter must be known for "
            f"{site['minimum_coverage_ratio']:.1%} of a period."
        ),
        notice=_notice(account),
        **pue_section(account),
        **power_section(account),
        **per_mw_section(account),
        **account_section(account),
    )


def _notice(account: Account) -> str:
    taken_at = account.one("versions")["snapshot_at"]
    if taken_at >= account.to_at:
        return ""
    return (
        f'<p class="bad">The month was not over when this was made ({account.local(taken_at)}): '
        "figures of the whole month are still open.</p>"
    )
