"""What inference servers count: tokens and requests of each rack's GPUs, and how long they took."""

from __future__ import annotations

import numpy as np

from simulator.plant.arrays import Floats
from simulator.plant.banks import Bank
from simulator.plant.clock import StepClock
from simulator.plant.gpus import Gpus
from simulator.plant.jobs import SIGNALS
from simulator.plant.workload import Workload

MODEL = "model.demo-405b"
"""Under which most servers name what they count; some serve one model and name none."""
OUTPUT_TOKENS_PER_GPU_S = 1_800.0
"""Of a GPU whose memory is busy all the time: decoding is bound by it."""
PROMPT_TOKENS_PER_OUTPUT_TOKEN = 4.0
OUTPUT_TOKENS_PER_REQUEST = 350.0
REQUEST_S = 14.0

BOUNDS_S = {
    "time_to_first_token_bucket_count": (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    "time_per_output_token_bucket_count": (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.5),
    "inter_token_latency_bucket_count": (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.5),
    "request_latency_bucket_count": (1.0, 2.5, 5.0, 10.0, 20.0, 40.0),
}
MEDIAN_S = {
    "time_to_first_token_bucket_count": 0.35,
    "time_per_output_token_bucket_count": 0.03,
    "inter_token_latency_bucket_count": 0.03,
    "request_latency_bucket_count": 8.0,
}
"""Of an idle server; at full load it is three times as much."""
DRAM = SIGNALS.index("dram")
SPREAD = 0.35
"""Of the logarithm of a latency, whose distribution is logistic."""


class Serving:
    """One server a rack with GPUs: it turns the memory's activity into tokens.

    The server of a rack that trains has no requests.

    Args:
        clock: of the plant.
        gpus: all of them, rack by rack.
        workload: what they are busy with.
    """

    def __init__(self, clock: StepClock, gpus: Gpus, workload: Workload) -> None:
        self._gpus, self._workload = gpus, workload
        racks = workload.activity.shape[1]
        self.output_tokens = np.zeros(racks)
        """Generated since the plant's start."""
        self._within = {
            (quantity, bound): np.zeros(racks)
            for quantity, bounds in BOUNDS_S.items()
            for bound in (*bounds, np.inf)
        }
        self.bank = Bank(clock, racks)
        self._declare()

    def tokens_per_s(self) -> Floats:
        """Output tokens a second of each rack in the step."""
        busy = self._gpus.by_rack(self._gpus.share(self._workload.activity[DRAM]))
        busy[: self._workload.first_inference] = 0.0
        return OUTPUT_TOKENS_PER_GPU_S * busy

    def account(self, step_s: float) -> None:
        """Book a step that has passed."""
        tokens = self.tokens_per_s() * step_s
        self.output_tokens += tokens
        for quantity, bound in self._within:
            within = tokens * self._per_token_within(quantity, bound)
            self._within[quantity, bound] = self._within[quantity, bound] + within

    def _per_token_within(self, quantity: str, bound_s: float) -> Floats:
        """Requests, or gaps between tokens, within a bound, for each output token."""
        median = MEDIAN_S[quantity] * (1 + 2 * self._workload.activity[DRAM])
        share = 1 / (1 + (median / bound_s) ** (1 / SPREAD))
        is_of_tokens = quantity == "inter_token_latency_bucket_count"
        return np.asarray(share / (1.0 if is_of_tokens else OUTPUT_TOKENS_PER_REQUEST), np.float64)

    def _declare(self) -> None:
        self._count("output_tokens_count", 1.0)
        self._count("prompt_tokens_count", PROMPT_TOKENS_PER_OUTPUT_TOKEN)
        self._count("finished_requests_count", 1 / OUTPUT_TOKENS_PER_REQUEST)
        for quantity, bound in self._within:
            self._count_within(quantity, bound)
        requests_per_s = 1 / OUTPUT_TOKENS_PER_REQUEST
        self.bank.gauge(
            "",
            "running_requests_count",
            lambda: np.round(self.tokens_per_s() * requests_per_s * REQUEST_S),
        )
        self.bank.shared("", "waiting_requests_count", lambda: 0.0)

    def _count(self, quantity: str, per_token: float) -> None:
        self.bank.register(
            "",
            quantity,
            lambda: self.output_tokens * per_token,
            lambda: self.tokens_per_s() * per_token * 3600,
        )

    def _count_within(self, quantity: str, bound_s: float) -> None:
        self.bank.register(
            f"le.{bound_s:g}",
            quantity,
            lambda: self._within[quantity, bound_s],
            lambda: self.tokens_per_s() * self._per_token_within(quantity, bound_s) * 3600,
        )
