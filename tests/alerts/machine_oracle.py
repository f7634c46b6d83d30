"""One alert in plain Python, second by second: slow, and written from the contract alone."""

from __future__ import annotations


class Oracle:
    """Walks through every whole second between two things that happen."""

    def __init__(self, *, on, off, stale, latch, fire, clear) -> None:
        self.on, self.off, self.stale, self.latch = on, off, stale, latch
        self.fire, self.clear = fire, clear
        self.condition = "normal"  # normal, active, over (latched and clear), returned
        self.acknowledged = self.announced = self.out = False
        self.verdict = None  # breach, between, clear; None: no fresh sample
        self.since = self.sampled_at = None
        self.shelved_until = None
        self.now = 0
        self.shown = "normal"
        self.told = []

    def sample(self, at, value, *, uncertain) -> None:
        self._walk_delays(at)
        verdict = "breach" if value > self.fire else "clear" if value <= self.clear else "between"
        if verdict == "clear" and uncertain:
            verdict = "between"
        if verdict != self.verdict:
            self.since = at
        self.verdict, self.sampled_at = verdict, at
        self._end_delays(at)
        self._show(at)

    def tick(self, at) -> None:
        if self.shelved_until is not None and self.shelved_until <= at:
            until, self.shelved_until = self.shelved_until, None
            self._show(until)
        self._walk_delays(at)

    def acknowledge(self, at) -> None:
        if self.condition == "active":
            self.acknowledged = True
        else:
            self._end()
        self._show(at, always=True)

    def shelve(self, at, until) -> None:
        self.shelved_until = until
        self._show(at, always=True)

    def set_out_of_service(self, at, *, out) -> None:
        self.out = out
        self._show(at, always=True)

    def _walk_delays(self, to) -> None:
        """Whatever happens happens on a whole second since the last sample."""
        if self.sampled_at is None:
            return
        for second in range(self.sampled_at, to + 1):
            self._end_delays(second)
            if self.verdict is not None and second >= self.sampled_at + self.stale:
                self.verdict = None
                self._show(second)
                return

    def _end_delays(self, second) -> None:
        breached = self.verdict == "breach" and second >= self.since + self.on
        if breached and self.condition != "active":
            self.condition = "active"
            self.acknowledged = self.announced = False
            self._show(second)
        if self.verdict != "clear" or second < self.since + self.off:
            return
        if self.condition == "active":
            if self.latch and self.announced:
                self.condition = "over"
            elif self.acknowledged or not self.announced:
                self._end()
            else:
                self.condition = "returned"
            self._show(second)

    def _end(self) -> None:
        self.condition = "normal"
        self.acknowledged = self.announced = False

    def _looks(self) -> str:
        if self.out:
            return "out_of_service"
        if self.shelved_until is not None:
            return "shelved"
        if self.condition in {"active", "over"}:
            if self.condition == "active" and self.verdict is None:
                return "no_data"
            return "acknowledged" if self.acknowledged else "firing"
        return self.condition

    def _show(self, at, *, always=False) -> None:
        looks = self._looks()
        self.announced |= looks in {"firing", "acknowledged", "no_data"}
        if always or looks != self.shown:
            self.told.append((looks, float(at)))
        self.shown = looks
