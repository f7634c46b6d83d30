from __future__ import annotations

import pytest

from busway.health import ask, parse_host_port, serve_health
from busway.processes import free_port
from facility.errors import ConfigError


async def test_readyz_answers_only_when_ready_and_healthz_always() -> None:
    facts: dict[str, object] = {"ready": False, "devices": 3}
    address = f"127.0.0.1:{free_port()}"
    async with serve_health(address, lambda: facts):
        assert await ask(f"http://{address}/readyz") is None
        assert await ask(f"http://{address}/healthz") == {"ready": False, "devices": 3}
        facts["ready"] = True
        assert await ask(f"http://{address}/readyz") == {"ready": True, "devices": 3}
    assert await ask(f"http://{address}/healthz") is None


async def test_a_taken_address_is_refused_by_name() -> None:
    address = f"127.0.0.1:{free_port()}"
    async with serve_health(address, dict):
        with pytest.raises(ConfigError, match=f"--health {address}.*in use"):
            async with serve_health(address, dict):
                pass


@pytest.mark.parametrize("text", ["9101", "host:", "host:port", ""])
def test_an_address_is_host_and_port(text: str) -> None:
    with pytest.raises(ConfigError, match="HOST:PORT"):
        parse_host_port(text)
