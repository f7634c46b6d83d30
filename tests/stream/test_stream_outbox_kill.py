"""kill -9 in the middle of appending: what was said to be stored is stored, under its number."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from stream_batches import READINGS_TOPIC

from stream.codec import decode
from stream.outbox import Outbox

CHILD = Path(__file__).parent / "outbox_child.py"
ROUNDS = 3
APPENDS_A_ROUND = 40


def test_kill_loses_no_stored_batch_and_no_number(tmp_path: Path) -> None:
    path = tmp_path / "collector.sqlite"
    said = 0
    for _ in range(ROUNDS):
        with subprocess.Popen(
            [sys.executable, CHILD, path], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            for _ in range(APPENDS_A_ROUND):
                said = int(child.stdout.readline())
            child.kill()
            rest = child.stdout.read().split("\n")[:-1]  # the last line may be cut off
            said = int(rest[-1]) if rest else said
    with Outbox(path, collector="c", max_bytes=10**8, when_full="drop_oldest") as outbox:
        entries = outbox.pending(10**9)
        found = [decode(entry.message.value, entry.message.headers) for entry in entries]
    assert said >= ROUNDS * APPENDS_A_ROUND
    assert [envelope.seq for envelope in found] == list(range(1, len(found) + 1))
    assert said <= len(found) <= said + ROUNDS  # a kill between commit and print hides one
    assert [e.batch.column("value").to_pylist() for e in found] == [[e.seq] for e in found]
    assert {envelope.topic for envelope in found} == {READINGS_TOPIC}
