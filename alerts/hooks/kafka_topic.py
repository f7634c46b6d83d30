"""A topic of the site's Kafka: one JSON message for each alert that has changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from alerts.hooks.blocking import OwnThread
from alerts.notice import Notice, Notification
from alerts.notice_json import transition_to_json
from facility.alert_hooks import KafkaHook
from facility.errors import HookUnavailable, StreamError
from facility.site import Kafka
from stream.kafka_client import Admin, Producer
from stream.message import Message


class KafkaTopic:
    """One topic, made where there is none; the key is the alert's id."""

    def __init__(self, hook: KafkaHook, kafka: Kafka) -> None:
        self._topic = hook.topic
        self._timeout_s = hook.timeout_seconds
        self._kafka = kafka
        self._thread = OwnThread("kafka-hook", hook.timeout_seconds)
        self._producer: Producer | None = None

    async def send(self, notification: Notification) -> None:
        """Send the messages; when it returns, every in-sync replica has them."""
        await self._thread.run(lambda: self._send(notification))

    async def close(self) -> None:
        """Let go of the connection."""
        self._thread.close()
        self._drop_producer()

    def _send(self, notification: Notification) -> None:
        try:
            producer = self._producer or self._open()
            for notice in notification.new:
                producer.send(self._message(notification, notice))
        except StreamError as error:
            self._drop_producer()
            raise HookUnavailable(str(error)) from error

    def _open(self) -> Producer:
        admin = Admin(self._kafka)
        try:
            admin.create(self._topic, partitions=1, replication=self._kafka.replication, configs={})
        finally:
            admin.close()
        self._producer = Producer(self._kafka, send_timeout_s=self._timeout_s)
        return self._producer

    def _drop_producer(self) -> None:
        if self._producer is not None:
            self._producer.close()
            self._producer = None

    def _message(self, notification: Notification, notice: Notice) -> Message:
        told = {
            "delivery": notification.delivery,
            "status": str(notice.status),
            "began_at": notice.began_at.isoformat(),
            "sent_at": datetime.now(UTC).isoformat(),
            "labels": dict(notice.labels),
            "alert": transition_to_json(notice.transition),
        }
        headers = (("delivery", notification.delivery.encode()),)
        key = notice.transition.alert.encode()
        return Message(self._topic, key, headers, json.dumps(told).encode())
