"""Brokers for every test that needs one: the embedded one and Apache Kafka, same test bodies.

`broker` runs a test once on each. They start at their first use and serve the whole run; each test
has topics of its own by a prefix. `BUSWAY_TEST_KAFKA=HOST:PORT` names an Apache Kafka that runs
already. Where there is none and none can be started, its tests are skipped with the reason; where
CI is set, that is a failure.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest
from apache_kafka import ApacheKafka, KafkaMissing, fetch_jars, free_ports

from facility.site import Kafka
from stream.embedded import EmbeddedBroker


class Broker:
    """A running broker, as one test sees it."""

    def __init__(
        self,
        server: EmbeddedBroker | ApacheKafka | None,
        bootstrap_servers: tuple[str, ...],
        *,
        keeps_its_log: bool,
    ) -> None:
        self._server = server
        self._bootstrap_servers = bootstrap_servers
        self._prefix = f"t{uuid.uuid4().hex[:12]}."
        self.keeps_its_log = keeps_its_log

    def settings(self, **changes: Any) -> Kafka:
        """A site's Kafka section that leads here, to topics that only this test uses."""
        return Kafka(
            bootstrap_servers=self._bootstrap_servers, topic_prefix=self._prefix, **changes
        )

    def stop(self) -> None:
        """End it as a crash would."""
        if self._server is None:
            pytest.skip("the Kafka that BUSWAY_TEST_KAFKA names is not ours to stop")
        if isinstance(self._server, EmbeddedBroker):
            self._server.kill()
        else:
            self._server.stop()

    def start(self) -> None:
        """Start it again, at the same address."""
        assert self._server is not None
        self._server.start()


def without_kafka(missing: KafkaMissing) -> NoReturn:
    """Skip the test with the reason; in CI, fail it."""
    reason = f"no Apache Kafka: {missing}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def embedded_server() -> Iterator[EmbeddedBroker]:
    (port,) = free_ports(1)
    with EmbeddedBroker(port=port) as server:
        yield server


@pytest.fixture(scope="session")
def apache_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka | str]:
    if address := os.environ.get("BUSWAY_TEST_KAFKA"):
        yield address
        return
    try:
        server = ApacheKafka(tmp_path_factory.mktemp("kafka"))
    except KafkaMissing as missing:
        without_kafka(missing)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def embedded_broker(embedded_server: EmbeddedBroker) -> Iterator[Broker]:
    yield Broker(embedded_server, embedded_server.bootstrap_servers, keeps_its_log=False)
    if not embedded_server.is_running:
        embedded_server.start()


@pytest.fixture
def apache_broker(apache_server: ApacheKafka | str) -> Iterator[Broker]:
    if isinstance(apache_server, str):
        yield Broker(None, (apache_server,), keeps_its_log=True)
        return
    yield Broker(apache_server, apache_server.bootstrap_servers, keeps_its_log=True)
    if not apache_server.is_running:
        apache_server.start()


@pytest.fixture(params=["embedded", "apache"])
def broker(request: pytest.FixtureRequest) -> Broker:
    """Each broker in turn."""
    found = request.getfixturevalue(f"{request.param}_broker")
    assert isinstance(found, Broker)
    return found


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch Kafka's jars before the first test's clock runs: the first time takes a while."""
    wanted = any("apache_server" in getattr(item, "fixturenames", ()) for item in session.items)
    wanted |= any(
        callspec.params.get("broker") == "apache"
        for item in session.items
        if (callspec := getattr(item, "callspec", None)) is not None
    )
    if wanted and not session.config.option.collectonly and "BUSWAY_TEST_KAFKA" not in os.environ:
        try:
            fetch_jars()
        except KafkaMissing:
            return  # the fixture says so, test by test
