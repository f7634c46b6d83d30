"""A line to a TCP server that can be cut at a chosen word."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Literal, Self

MEMORY_BYTES = 20_000
Side = Literal["before", "after"]


class CutLine:
    """Passes bytes between its own port and a server's, each connection in threads of its own.

    `cut_at(first, word, side)`: the next time a client sends `word` on a connection where it has
    sent `first`, that is closed: "before" the server gets the word, or "after" the server has
    answered it and before the client gets that.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cuts = 0
        self._armed: tuple[bytes, bytes, Side] | None = None
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_at(self, first: bytes, word: bytes, side: Side) -> None:
        with self._lock:
            self._armed = (first, word, side)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _close(self._listener)
        for opened in self._sockets:
            _close(opened)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
            except OSError:
                return
            self._sockets += [client, server]
            is_cut = threading.Event()
            for pump in (self._to_server, self._to_client):
                threading.Thread(target=pump, args=(client, server, is_cut), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket, is_cut: threading.Event):
        sent = b""
        for data in _received(client):
            sent += data
            side = self._side(sent)
            sent = sent[-MEMORY_BYTES:]
            if side == "before":
                break
            if side == "after":
                is_cut.set()
            if not _send(server, data):
                break
        if not is_cut.is_set():
            _close(client)
            _close(server)

    def _to_client(self, client: socket.socket, server: socket.socket, is_cut: threading.Event):
        for data in _received(server):
            if is_cut.is_set() or not _send(client, data):
                break
        _close(client)
        _close(server)

    def _side(self, data: bytes) -> Side | None:
        with self._lock:
            if self._armed is None:
                return None
            first, word, side = self._armed
            if word not in data.partition(first)[2]:
                return None
            self._armed = None
            self.cuts += 1
            return side


def _received(side: socket.socket):
    try:
        while data := side.recv(65536):
            yield data
    except OSError:
        return


def _send(side: socket.socket, data: bytes) -> bool:
    try:
        side.sendall(data)
    except OSError:
        return False
    return True


def _close(side: socket.socket) -> None:
    with suppress(OSError):
        side.shutdown(socket.SHUT_RDWR)
    side.close()
