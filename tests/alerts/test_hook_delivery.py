"""What reaches a receiver that fails, hangs, refuses or breaks off, and what others get then."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hook_rig import (
    CUT,
    HANG,
    Story,
    change,
    receiver,
    route,
    site,
    telling,
    until,
    webhook,
)

from alerts.delivery import MOST_BACKOFF_S, backoff_s
from alerts.hooks.http import MOST_RETRY_AFTER_S, retry_after_s
from alerts.telling import compacted
from facility.alert import State


@pytest.fixture(autouse=True)
def quick_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.delivery.backoff_s", lambda failures: 0.02)


async def test_the_payload_is_alertmanagers(tmp_path: Path) -> None:
    story = Story()
    async with receiver() as got:
        made = site({"a": webhook(got.url)}, routes=[route("a")], external_url="http://x/y")
        async with telling(made, tmp_path / "q") as told:
            told.listen(story.tell(change()))
            await until(lambda: got.requests)
            told.listen(story.tell(change(state=State.NORMAL, previous=State.FIRING, number=2)))
            await until(lambda: len(got.requests) == 2)
    fired, over = (request.data for request in got.requests)
    assert fired["version"] == "4"
    assert (fired["status"], over["status"]) == ("firing", "resolved")
    assert fired["receiver"] == "a"
    assert fired["groupLabels"] == {"rule": "hot"}
    assert fired["externalURL"] == "http://x/y"
    assert fired["truncatedAlerts"] == 0
    (alert,) = fired["alerts"]
    assert alert["labels"]["alertname"] == "hot"
    assert alert["labels"]["hall"] == "h-0"
    assert alert["labels"]["severity"] == "error"
    assert alert["annotations"]["summary"] == "d-0 is hot"
    assert alert["annotations"]["value"] == "31.5"
    assert alert["endsAt"].startswith("0001-01-01")
    (ended,) = over["alerts"]
    assert ended["labels"] == alert["labels"]
    assert ended["fingerprint"] == alert["fingerprint"]
    assert ended["startsAt"] == alert["startsAt"]
    assert datetime.fromisoformat(ended["endsAt"]) > datetime.fromisoformat(ended["startsAt"])


async def test_a_signature_can_be_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = b"\x00\x01 secret"
    monkeypatch.setenv("HOOK_KEY", "whsec_" + base64.b64encode(key).decode())
    async with receiver() as got:
        hooks = {"a": webhook(got.url, signing_key={"env": "HOOK_KEY"})}
        async with telling(site(hooks, routes=[route("a")]), tmp_path / "q") as told:
            told.listen(Story().tell(change()))
            await until(lambda: got.requests)
    (request,) = got.requests
    at = request.headers["webhook-timestamp"]
    signed = f"{request.delivery}.{at}.".encode() + request.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(at) - time.time()) < 10


@pytest.mark.parametrize("failure", [500, 404, 302, CUT, HANG], ids=str)
async def test_a_failure_is_tried_again_with_the_same_id_and_body(
    failure: object, tmp_path: Path
) -> None:
    async with receiver(failure, failure) as got:
        made = site({"a": webhook(got.url, timeout_seconds=0.2)}, routes=[route("a")])
        async with telling(made, tmp_path / "q") as told:
            told.listen(Story().tell(change()))
            await until(lambda: len(got.requests) == 3)
            await until(lambda: told.hooks()[0]["delivered"] == 1)
            facts = told.hooks()[0]
            await asyncio.sleep(0.2)
    assert len({(request.delivery, request.body) for request in got.requests}) == 1
    assert len(got.requests) == 3
    assert facts["failed"] == 2
    assert facts["waiting"] == 0
    assert got.url in facts["last_error"]


async def test_retry_after_is_kept_to(tmp_path: Path) -> None:
    async with receiver((429, "Retry-After: 1\r\n"), (503, "Retry-After: 0\r\n")) as got:
        made = site({"a": webhook(got.url)}, routes=[route("a")])
        async with telling(made, tmp_path / "q") as told:
            told.listen(Story().tell(change()))
            await until(lambda: len(got.requests) == 3)
    first, second, third = (request.at for request in got.requests)
    assert second - first >= 1.0
    assert third - second < 0.9


def test_retry_after_is_seconds_or_a_date_and_bounded() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    assert retry_after_s("12") == 12
    assert retry_after_s(format_datetime(now + timedelta(seconds=90), usegmt=True), now) == 90
    assert retry_after_s(format_datetime(now - timedelta(seconds=90), usegmt=True), now) == 0
    assert retry_after_s("1e9") == MOST_RETRY_AFTER_S
    for text in ("", "soon", "-3", "nan", "Fri, 99 Foo"):
        assert retry_after_s(text) == 0


def test_the_waits_grow_and_are_bounded() -> None:
    assert 0.5 <= backoff_s(1) <= 1
    assert 4 <= backoff_s(4) <= 8
    assert MOST_BACKOFF_S / 2 <= backoff_s(10_000) <= MOST_BACKOFF_S


async def test_content_that_is_refused_is_given_up_and_stops_nothing(tmp_path: Path) -> None:
    story = Story()
    async with receiver(422) as got:
        made = site({"a": webhook(got.url)}, routes=[route("a", group_by=["device"])])
        async with telling(made, tmp_path / "q") as told:
            told.listen(story.tell(change("d-0")))
            await until(lambda: told.hooks()[0]["refused"] == 1)
            told.listen(story.tell(change("d-1")))
            await until(lambda: told.hooks()[0]["delivered"] == 1)
    assert len(got.requests) == 2


async def test_a_hook_that_hangs_or_fails_harms_no_other(tmp_path: Path) -> None:
    async with receiver(always=HANG) as hung, receiver(always=500) as broken, receiver() as good:
        hooks = {
            "hung": webhook(hung.url, timeout_seconds=5),
            "broken": webhook(broken.url),
            "nobody": webhook("http://127.0.0.1:9"),
            "good": webhook(good.url),
        }
        async with telling(site(hooks, routes=[route(*hooks)]), tmp_path / "q") as told:
            story = Story()
            for number in range(20):
                state = (State.FIRING, State.NORMAL)[number % 2]
                made = change(state=state, previous=State.NORMAL, number=number + 1)
                before = time.monotonic()
                told.listen(story.tell(made))
                await until(lambda n=number: len(good.requests) == n + 1)
                assert time.monotonic() - before < 1
            facts = {row["hook"]: row for row in told.hooks()}
    assert facts["good"]["delivered"] == 20
    assert facts["good"]["waiting"] == 0
    for name in ("hung", "broken", "nobody"):
        assert facts[name]["delivered"] == 0
        assert 1 <= facts[name]["waiting"] <= 2  # one on its way, and the latest news
    assert len(hung.requests) == 1
    assert "500" in facts["broken"]["last_error"]
    assert "refused" in facts["nobody"]["last_error"]


async def test_a_poisoned_notification_lets_others_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alerts.delivery.backoff_s", lambda failures: 0.3)
    async with receiver(500) as got:
        made = site({"a": webhook(got.url)}, routes=[route("a", group_by=["device"])])
        async with telling(made, tmp_path / "q") as told:
            story = Story()
            told.listen(story.tell(change("d-0", priority=1)))
            await until(lambda: told.hooks()[0]["failed"] == 1)
            told.listen(story.tell(change("d-1", priority=4), change("d-2", priority=3)))
            await until(lambda: told.hooks()[0]["delivered"] == 3)
    devices = [request.data["alerts"][0]["labels"]["device"] for request in got.requests]
    assert devices == ["d-0", "d-2", "d-1", "d-0"]


async def test_a_full_disk_stops_nothing_for_good(tmp_path: Path) -> None:
    story = Story()
    async with receiver() as got:
        made = site({"a": webhook(got.url)}, routes=[route("a", group_by=["device"])])
        async with telling(made, tmp_path / "q") as told:
            (pages,) = told._file.execute("PRAGMA page_count")[0]
            told._file.execute(f"PRAGMA max_page_count = {pages}")  # as full as a disk can be
            told.listen(story.tell(*(change(f"d-{n}") for n in range(100))))
            await until(lambda: "full" in told._trouble)
            assert got.requests == []
            told._file.execute(f"PRAGMA max_page_count = {10**6}")
            await until(lambda: len(got.requests) == 100)
            assert told._trouble == ""


def test_what_waits_for_the_disk_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.telling.MOST_HEARD", 3)
    story = Story()
    history = tuple(story.tell(change("d-0"), change("d-1")))
    later = (story.tell(change(f"d-{number % 2}", number=number)) for number in range(1, 10))
    heard = [history, *map(tuple, later)]
    assert compacted(heard[:3]) == heard[:3]
    first, rest = compacted(heard)
    assert first == history
    assert [told.transition.number for told in rest] == [9, 8]


async def test_what_cannot_be_read_back_stops_one_hook_alone(tmp_path: Path) -> None:
    story = Story()
    async with receiver(always=500) as bad, receiver() as good:
        hooks = {"bad": webhook(bad.url), "good": webhook(good.url)}
        made = site(hooks, routes=[route("bad", "good", group_by=["device"])])
        async with telling(made, tmp_path / "q") as told:
            told.listen(story.tell(change("d-0")))
            await until(lambda: bad.requests and good.requests)
            told._file.execute("UPDATE outgoing SET body = '{' WHERE hook = 'bad'")
            await until(lambda: "JSONDecodeError" in told.hooks()[0]["last_error"])
            told.listen(story.tell(change("d-1")))
            await until(lambda: len(good.requests) == 2)
            await until(lambda: [row["waiting"] for row in told.hooks()] == [2, 0])
