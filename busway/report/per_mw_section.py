"""What a megawatt does, each figure under the denominator that it is over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from busway.report.account import Account
from busway.report.tables import Column, Row, table

DENOMINATORS = {
    "utility": "Utility",
    "it_1": "IT, category 1",
    "it_2": "IT, category 2",
    "it_3": "IT, category 3",
    "provisioned": "Provisioned",
}
"""By the end of the columns' names; the last is no energy, but a power that is contracted."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that is asked over each denominator: what the columns' names begin with."""

    said: str
    column: str
    form: str


OVER_EACH = (
    Figure("GPUs powered per MW", "gpus_per_mw", ",.1f"),
    Figure("Output tokens/s per MW", "tokens_per_s_per_mw", ",.1f"),
    Figure("Output tokens per kWh", "tokens_per_kwh", ",.1f"),
    Figure("Joules per output token", "j_per_token", ",.4g"),
    Figure("Tokens/s in time per MW, at least", "goodput_low_per_mw", ",.1f"),
    Figure("Tokens/s in time per MW, at most", "goodput_high_per_mw", ",.1f"),
    Figure("Peak PFLOPS per MW", "pflops_peak_per_mw", ",.2f"),
    Figure("Estimated PFLOPS per MW", "pflops_est_per_mw", ",.2f"),
    Figure("Chips' share of the energy", "chip_fraction", ".2%"),
)
MEGAWATTS = {"utility": "mw_utility_avg", "provisioned": "mw_provisioned"} | {
    f"it_{category}": f"mw_it_{category}_avg" for category in (1, 2, 3)
}
ALONE = (
    Figure("GPUs powered", "gpus_powered", ",d"),
    Figure("Mean power of the GPUs, MW", "gpu_mw_avg", ",.3f"),
    Figure("GPU energy while multiprocessors were active", "sm_active_kwh_share", ".2%"),
    Figure("GPU energy while tensor pipes were active", "tensor_active_kwh_share", ".2%"),
    Figure("GPU energy while idle", "gpu_idle_kwh_share", ".2%"),
    Figure("Time held down by the power limit", "power_cap_loss_ratio", ".2%"),
    Figure("Highest quarter of an hour from the utility, MW", "mw_utility_peak", ",.3f"),
    Figure("Stranded: provisioned less that, MW", "stranded_mw", ",.3f"),
    Figure("Fastest ramp between two readings, MW/s", "ramp_mw_per_s", ",.4g"),
    Figure("First tokens in time", "ttft_in_slo_ratio", ".2%"),
    Figure("Tokens after the first in time", "tpot_in_slo_ratio", ".2%"),
)

UNKNOWN = {
    "mw_provisioned": "provisioned: provisioned_mw is not stated",
    "power_cap_loss_ratio": "power limit: no GPU told whether it held it down",
    "ramp_mw_per_s": "ramp: no meter's power was read twice",
}
"""Why a figure is missing that per_mw gives no reason for."""


def per_mw_section(account: Account) -> dict[str, str]:
    """What the template has of the megawatts."""
    row = account.one("per_mw")
    reasons = "; ".join(_reasons(account, row))
    why = f'<p class="note">No figure, because: {escape(reasons)}.</p>' if reasons else ""
    slo = f"{row['ttft_slo_s']:g} s to the first, {row['tpot_slo_s'] * 1000:g} ms for each after it"
    return {
        "per_mw": _over_each(row) + _alone(row) + why,
        "slo": slo,
        "arithmetic": row["peak_arithmetic"],
    }


def _reasons(account: Account, row: Row) -> Iterator[str]:
    """Why figures are missing, in the order of the tables."""
    for pue in account.answers["pue_month"]:
        if row[f"mw_it_{pue['category']}_avg"] is None and pue["reason"]:
            yield f"IT, category {pue['category']}: {pue['reason']}"
    if row["reason"]:
        yield row["reason"]
    for column, reason in UNKNOWN.items():
        if row[column] is None:
            yield reason


def _own_form(line: Row) -> str:
    form: str = line["form"]
    return form


def _over_each(row: Row) -> str:
    lines = [{"said": "Mean MW", "form": ",.3f"} | {d: row[c] for d, c in MEGAWATTS.items()}]
    lines += [
        {"said": figure.said, "form": figure.form}
        | {name: row.get(f"{figure.column}_{name}") for name in DENOMINATORS}
        for figure in OVER_EACH
    ]
    columns = [Column("Figure", "said")]
    columns += [Column(said, name, _own_form) for name, said in DENOMINATORS.items()]
    return table(columns, lines, name="per-mw")


def _alone(row: Row) -> str:
    lines = [{"said": f.said, "form": f.form, "value": row[f.column]} for f in ALONE]
    return table(
        (Column("Figure", "said"), Column("Value", "value", _own_form)), lines, name="gpu-energy"
    )
