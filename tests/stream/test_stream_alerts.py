"""Alerts travel one a message under their own key, and their topic keeps the last of each."""

from __future__ import annotations

from datetime import UTC, datetime

from facility.alert import State, Transition, alert_id, from_batch, to_batch
from facility.reading import TOPICS
from facility.site import Kafka
from stream.codec import decode, encode
from stream.topics import ALL_TOPICS, ensure_topics

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)


def transition(**changes) -> Transition:
    facts = {
        "happened_at": AT,
        "decided_at": AT,
        "alert": alert_id("hot", "d", "a"),
        "number": 3,
        "rule": "hot",
        "device": "d",
        "component": "a",
        "quantity": "inlet_temperature_c",
        "priority": 2,
        "class_": "cooling",
        "state": State.FIRING,
        "previous": State.NORMAL,
        "value": 33.5,
        "threshold": 32.0,
        "message": "33.5 is too hot",
        "response": "go and see",
        "owner": "ops",
    }
    return Transition(**(facts | changes))


def test_a_transition_comes_back_as_it_went():
    for sent in (
        transition(),
        transition(value=None, threshold=None, cause=alert_id("trip", "b", ""), state="suppressed"),
        transition(state=State.SHELVED, actor="kim", until_at=AT),
    ):
        message = encode(to_batch(sent), topic=TOPICS["alerts"], collector="alerts-0", seq=1)
        assert from_batch(decode(message.value, message.headers).batch) == [sent]


def test_its_key_is_the_alert():
    message = encode(to_batch(transition()), topic=TOPICS["alerts"], collector="alerts-0", seq=1)
    assert message.key == alert_id("hot", "d", "a").encode()


def test_rule_device_and_component_do_not_run_into_each_other():
    assert alert_id("a", "bc", "") != alert_id("ab", "c", "") != alert_id("a", "b", "c")


class Cluster:
    """Keeps what was asked for."""

    def __init__(self) -> None:
        self.made = {}

    def partitions(self, topics):
        return {name: tuple(range(self.made[name]["partitions"])) for name in self.made}

    def create(self, topic, **asked) -> None:
        self.made[topic] = asked


def test_its_topic_has_one_partition_and_keeps_the_last_of_each_key():
    cluster = Cluster()
    ensure_topics(cluster, Kafka(partitions=5, retention_hours=2), ALL_TOPICS)
    asked = cluster.made[TOPICS["alerts"]]
    assert asked["partitions"] == 1
    assert asked["configs"] == {
        "max.message.bytes": "1000000",
        "cleanup.policy": "compact",
        "min.compaction.lag.ms": "7200000",
    }
    assert cluster.made[TOPICS["readings"]]["configs"]["retention.ms"] == "7200000"
