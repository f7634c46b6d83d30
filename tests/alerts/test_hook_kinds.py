"""Each kind of hook against a receiver of its kind."""

from __future__ import annotations

import asyncio
import email
import gc
import json
import os
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from brokers import Broker
from certificates import Authority
from hook_rig import change, receiver, site, telling, until

from alerts.heartbeat import Beat
from alerts.hooks.open_hook import open_hook
from alerts.hooks.program import environment
from alerts.notice import Notice, Notification, Status, lines
from facility.alert import State
from facility.alert_hooks import Heartbeat
from facility.errors import ConfigError, HookRefused, HookUnavailable, HookUnknown
from facility.site import Kafka
from stream.kafka_client import Admin, Consumer

NASTY = "$(touch {0}) `touch {0}`; touch {0} | & > {0} '\" \n-x\0 <@here> & {{rule}}"


def opened(kafka: Kafka | None = None, **hook: Any) -> Any:
    made = site({"a": hook}).alerts.hooks["a"]
    return open_hook("a", made, kafka or Kafka(), "http://busway.example/")


def notification(*changes: Any, status: Status = Status.FIRING) -> Notification:
    notices = tuple(
        Notice(status, each.happened_at, each, {"rule": each.rule, "hall": "h-1"}, is_new=True)
        for each in changes
    )
    return Notification("0123abcd", "a", "s", "[0]", {}, notices, changes[0].happened_at)


async def test_exec_cannot_be_injected_and_is_told_by_its_environment(tmp_path: Path) -> None:
    touched, out = tmp_path / "touched", tmp_path / "out"
    message = NASTY.format(touched)
    script = (
        "import json, os, sys;"
        "open(sys.argv[1], 'w').write(json.dumps([dict(os.environ), sys.argv[2:]]))"
    )
    command = [sys.executable, "-c", script, str(out), "$HOME;", "{message}"]
    os.environ["NOT_FOR_HOOKS"] = "secret"
    try:
        await opened(kind="exec", command=command).send(notification(change(message=message)))
    finally:
        del os.environ["NOT_FOR_HOOKS"]
    told, arguments = json.loads(out.read_text())
    assert arguments == ["$HOME;", "{message}"]
    assert told["BUSWAY_MESSAGE"] == message.replace("\0", " ")
    assert told["BUSWAY_DEVICE"] == "d-0"
    assert told["BUSWAY_PLACE"] == "h-1"
    assert told["BUSWAY_STATUS"] == "firing"
    assert not touched.exists()
    assert {name for name in told if not name.startswith("BUSWAY_")} <= {"PATH", "LC_CTYPE"}


def test_however_many_alerts_there_are_the_environment_stays_small() -> None:
    many = notification(*(change(message="x" * 10_000) for _ in range(1000)))
    assert sum(map(len, environment(many).values())) < 100_000


async def test_exec_that_fails_hangs_or_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(HookUnavailable, match="status 3"):
        await opened(kind="exec", command=["sh", "-c", "exit 3"]).send(notification(change()))
    with pytest.raises(HookUnavailable, match="cannot be run"):
        await opened(kind="exec", command=["/no/such"]).send(notification(change()))
    pid = tmp_path / "pid"
    hung = opened(
        kind="exec", command=["sh", "-c", f"sleep 60 & echo $! > {pid}; wait"], timeout_seconds=0.3
    )
    with pytest.raises(HookUnavailable, match="was killed"):
        await hung.send(notification(change()))
    await until(lambda: not is_alive(int(pid.read_text())))


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


class Mailbox:
    """What a mail server took; it refuses the recipients it is told to."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.refused: set[str] = set()
        self.say = "250 taken"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - its name
        if address in self.refused:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - its name
        self.mails.append((envelope, email.message_from_bytes(envelope.content)))
        return self.say


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield box, controller.port
    controller.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def mail(port: int, **changes: Any) -> Any:
    given = {
        "kind": "email", "host": "127.0.0.1", "port": port, "tls": "none",
        "sender": "busway@s.example", "recipients": ["ops@s.example", "duty@s.example"],
        "timeout_seconds": 3,
    }  # fmt: skip
    return opened(**(given | changes))


async def test_mail_is_sent_and_cannot_be_given_headers(mailbox) -> None:
    box, port = mailbox
    hook = mail(port, title="{status} {count} {message}")
    message = "hot\r\nBcc: evil@x.example\r\n\r\nbody"
    await hook.send(notification(change(message=message), change("d-1", rule="wet")))
    await hook.close()
    ((envelope, sent),) = box.mails
    assert envelope.rcpt_tos == ["ops@s.example", "duty@s.example"]
    assert sent["Bcc"] is None
    assert sent["Subject"] == "FIRING 2 hot Bcc: evil@x.example body"
    assert sent["Message-ID"] == "<0123abcd@s.example>"
    body = sent.get_payload()
    assert "d-1 is hot -> Look at the fans." in body
    assert "http://busway.example/" in body


async def test_mail_that_is_refused_put_off_or_never_answered(mailbox) -> None:
    box, port = mailbox
    box.refused = {"duty@s.example"}
    with pytest.raises(HookRefused, match=r"not for duty@s\.example"):
        await mail(port).send(notification(change()))
    box.refused = {"duty@s.example", "ops@s.example"}
    with pytest.raises(HookUnavailable):
        await mail(port).send(notification(change()))
    box.refused, box.say = set(), "451 later"
    with pytest.raises(HookUnavailable, match="451 later"):
        await mail(port).send(notification(change()))
    with pytest.raises(HookUnavailable, match="STARTTLS"):
        await mail(port, tls="starttls").send(notification(change()))
    with pytest.raises(HookUnavailable):
        await mail(free_port()).send(notification(change()))
    async with silent_server() as silent:
        hook, before = mail(silent, timeout_seconds=0.3), time.monotonic()
        with pytest.raises(HookUnavailable):
            await hook.send(notification(change()))
        assert time.monotonic() - before < 1
        await hook.close()


# aiosmtpd leaves the socket of a failed handshake open; it is collected while this test runs
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_mail_over_tls_with_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "pass")
    authority = Authority(tmp_path, "ours")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("mail", host="127.0.0.1"))
    box, logins = Mailbox(), []

    def authenticate(server, session, envelope, mechanism, data):
        logins.append((data.login, data.password, session.ssl is not None))
        return AuthResult(success=data.password == b"pass", handled=False)

    controller = Controller(
        box, hostname="127.0.0.1", port=free_port(), tls_context=context,
        require_starttls=True, auth_required=True, authenticator=authenticate,
    )  # fmt: skip
    controller.start()
    login = {"user": "busway", "password": {"env": "MAIL_PASSWORD"}, "tls": "starttls"}
    try:
        await mail(controller.port, **login, ca_file=authority.ca_file).send(notification(change()))
        with pytest.raises(HookUnavailable, match="certificate"):
            await mail(controller.port, **login).send(notification(change()))
        monkeypatch.setenv("MAIL_PASSWORD", "wrong")
        hook = mail(controller.port, **login, ca_file=authority.ca_file)
        with pytest.raises(HookUnavailable, match="535"):
            await hook.send(notification(change()))
    finally:
        controller.stop()
        gc.collect()
    assert len(box.mails) == 1
    assert logins[0] == (b"busway", b"pass", True)


class silent_server:  # noqa: N801 - used as a function
    async def __aenter__(self) -> int:
        async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        self._server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()


async def test_slack_takes_no_marks_from_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver() as got:
        monkeypatch.setenv("SLACK_URL", f"{got.url}/services/T0/B0/secret")
        hook = opened(kind="slack", webhook_url={"env": "SLACK_URL"})
        await hook.send(notification(change(message="<!channel> & co {site}")))
        await hook.close()
        got.always = (404, "")
        with pytest.raises(HookUnavailable) as raised:
            await hook.send(notification(change()))
        await hook.close()
    text = got.requests[0].data["text"]
    assert text.splitlines()[0] == "*[FIRING, 1] &lt;!channel&gt; &amp; co {site}*"
    assert got.requests[0].headers["request"].startswith("POST /services/T0/B0/secret ")
    assert "secret" not in str(raised.value)


async def test_pagerduty_gets_one_event_an_alert_under_one_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAGER_KEY", "R0UT")
    made = [change("d-0", priority=1), change("d-1", priority=4)]
    async with receiver(202, 202, 202, 202, (429, "Retry-After: 7\r\n")) as got:
        hook = opened(kind="pagerduty", url=got.url, routing_key={"env": "PAGER_KEY"})
        await hook.send(notification(*made))
        await hook.send(notification(made[0], status=Status.ACKNOWLEDGED))
        await hook.send(notification(made[0], status=Status.RESOLVED))
        with pytest.raises(HookUnavailable) as raised:
            await hook.send(notification(made[0]))
        await hook.close()
    events = [request.data for request in got.requests[:4]]
    assert [event["event_action"] for event in events] == [
        "trigger", "trigger", "acknowledge", "resolve",
    ]  # fmt: skip
    assert {event["routing_key"] for event in events} == {"R0UT"}
    assert events[0]["dedup_key"] == events[2]["dedup_key"] == events[3]["dedup_key"]
    assert [event["payload"]["severity"] for event in events[:2]] == ["critical", "info"]
    assert events[0]["payload"]["source"] == "d-0"
    assert raised.value.retry_after_s == 7


async def test_a_kafka_topic_gets_one_message_an_alert(broker: Broker) -> None:
    kafka = broker.settings()
    hook = opened(kafka, kind="kafka", topic="told", timeout_seconds=30)
    await hook.send(notification(change("d-0"), change("d-1")))
    await hook.close()

    messages = await asyncio.to_thread(read, kafka, "told", 2)
    told = [json.loads(message.value) for message in messages]
    assert [each["alert"]["device"] for each in told] == ["d-0", "d-1"]
    assert [message.key.decode() for message in messages] == [
        each["alert"]["alert"] for each in told
    ]
    assert dict(messages[0].headers)["delivery"] == b"0123abcd"
    assert told[0]["status"] == "firing"


def read(kafka: Kafka, topic: str, count: int) -> list[Any]:
    """Give so many messages of a topic, from its beginning."""
    admin, consumer = Admin(kafka), Consumer(kafka)
    partitions = admin.partitions([topic])[topic]
    admin.close()
    consumer.assign(partitions)
    for partition in partitions:
        consumer.seek(partition, 0)
    found: list[Any] = []
    known = {(topic, partition.number): partition for partition in partitions}
    deadline = time.monotonic() + 20
    while len(found) < count and time.monotonic() < deadline:
        found += consumer.poll(0.2, 100, known)
    consumer.close()
    return found


async def test_the_heartbeat_is_sent_while_all_is_well_and_withheld_else(tmp_path: Path) -> None:
    is_well = True
    async with receiver() as got:
        beat = Beat(Heartbeat(url=got.url, every_seconds=1), "s", lambda: is_well)
        beat._every_s = 0.05
        task = asyncio.create_task(beat.run())
        await until(lambda: len(got.requests) >= 3)
        is_well = False
        await asyncio.sleep(0.15)
        count = len(got.requests)
        await asyncio.sleep(0.2)
        assert len(got.requests) == count
        is_well = True
        await until(lambda: len(got.requests) > count)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert got.requests[0].data["site"] == "s"


async def test_a_test_of_a_hook_begins_and_ends_an_alert(tmp_path: Path) -> None:
    async with receiver() as got:
        made = site({"a": {"kind": "webhook", "url": got.url}})
        async with telling(made, tmp_path / "q") as told:
            await told.test("a")
            with pytest.raises(HookUnknown, match="did you mean 'a'"):
                await told.test("aa")
    assert [request.data["status"] for request in got.requests] == ["firing", "resolved"]
    assert len({request.data["alerts"][0]["fingerprint"] for request in got.requests}) == 1


def test_a_text_is_short_however_many_alerts_there_are() -> None:
    told = lines(notification(*(change(f"d-{n}") for n in range(500))))
    assert len(told) == 21
    assert told[-1] == "... and 480 more"
    gone = change(state=State.NO_DATA)
    assert "(no data now)" in lines(notification(gone))[0]


def test_a_secret_that_is_not_there_is_named_at_the_start() -> None:
    with pytest.raises(ConfigError, match=r"alerts\.hooks\.a: .*NO_SUCH_VARIABLE"):
        opened(kind="pagerduty", routing_key={"env": "NO_SUCH_VARIABLE"})
