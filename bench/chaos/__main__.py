"""Exactly-once, shown by killing things: `python -m bench.chaos --trials 200`.

Real processes: Apache Kafka, two collectors over Modbus, sinks of one consumer group, the lake's
upkeep. After each fault every number that the meters served since the last is looked for in the
lake, and at the end all of them once more.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.chaos.campaign import Campaign, Trial, faults_by_name
from bench.chaos.faults import FAKETIME, NEEDS_SMALL_DISKS, STEPS_CLOCK, Fault
from bench.chaos.stage import small_disks

SHOWN = 5
LINE = "{:<18} {:>6} {:>9} {:>9} {:>7} {:>5} {:>8} {:>9} {:>12}"
HEAD = (
    "fault",
    "trials",
    "served",
    "stored",
    "booked",
    "lost",
    "doubled",
    "invented",
    "recovery s",
)


def main() -> int:
    """Run the trials, print what was found; status 1 when a reading was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", type=Path, help="a new directory, whose logs are kept")
    parser.add_argument("--only", default="", help="faults, with commas: kill_sink,kill_broker")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # cleans up, too
    with working_directory(arguments.keep) as place, small_disks(place) as disks_are_small:
        faults = possible(chosen(arguments.only), disks_are_small=disks_are_small)
        print(f"{arguments.trials} trials, seed {arguments.seed}")
        turns = [faults[i % len(faults)] for i in range(arguments.trials)]
        campaign = Campaign(place, arguments.seed)
        trials = asyncio.run(campaign.run(turns, tell))
    report(trials)
    return 0 if all(trial.is_clean for trial in trials) else 1


@contextmanager
def working_directory(keep: Path | None) -> Iterator[Path]:
    """A directory that is removed at the end, or the one to keep."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="busway-chaos-") as name:
            yield Path(name)
    else:
        keep.mkdir(parents=True)
        yield keep.absolute()


def chosen(names: str) -> list[Fault]:
    """The faults that were asked for; all where none was."""
    known = faults_by_name()
    wanted = names.split(",") if names else list(known)
    if unknown := [name for name in wanted if name not in known]:
        sys.exit(f"no fault {unknown[0]!r}; there are {', '.join(known)}")
    return [known[name] for name in wanted]


def possible(faults: Sequence[Fault], *, disks_are_small: bool) -> list[Fault]:
    """Those that this machine allows; the others are named."""
    left_out: dict[Fault, str] = {}
    if not disks_are_small:
        left_out |= dict.fromkeys(NEEDS_SMALL_DISKS, "small file systems may not be mounted here")
    if not FAKETIME:
        left_out |= dict.fromkeys(STEPS_CLOCK, "libfaketime is not installed")
    for fault in faults:
        if fault in left_out:
            print(f"left out: {fault.__name__} ({left_out[fault]})")
    return [fault for fault in faults if fault not in left_out]


def tell(trial: Trial) -> None:
    """Say of one trial what was found, and more where it is bad."""
    found = trial.found
    print(
        f"{trial.fault:<18} served {found.served:>7,}  stored {found.stored:>7,}  "
        f"booked {found.booked:>6,}  back after {trial.recovery_s:4.1f} s  "
        f"{'clean' if trial.is_clean else 'NOT CLEAN'}",
        flush=True,
    )
    for kind in ("lost", "doubled", "invented"):
        names = getattr(found, kind)
        if names:
            print(f"  {len(names)} {kind}: {', '.join(names[:SHOWN])}", flush=True)
    for objection in trial.broken[:SHOWN]:
        print(f"  {objection}", flush=True)


def report(trials: Sequence[Trial]) -> None:
    """Print one line a fault, and their sum."""
    print("\n" + LINE.format(*HEAD))
    for name in dict.fromkeys(trial.fault for trial in trials):
        print_line(name, [trial for trial in trials if trial.fault == name])
    broken = sum(len(trial.broken) for trial in trials)
    print(f"The ledger's own checks objected to {broken} things.")


def print_line(name: str, trials: Sequence[Trial]) -> None:
    """Print the sums of some trials."""
    found = [trial.found for trial in trials]
    longest_s = max(trial.recovery_s for trial in trials)
    print(
        LINE.format(
            name,
            len(trials),
            f"{sum(f.served for f in found):,}",
            f"{sum(f.stored for f in found):,}",
            f"{sum(f.booked for f in found):,}",
            sum(len(f.lost) for f in found),
            sum(len(f.doubled) for f in found),
            sum(len(f.invented) for f in found),
            f"<= {longest_s:.1f}",
        )
    )


if __name__ == "__main__":
    sys.exit(main())
