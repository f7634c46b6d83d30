"""TLS to the broker: certificates read when connecting, sockets that do not outlive their use."""

from __future__ import annotations

import ssl
from typing import Any, Self
from weakref import WeakSet

from facility.errors import ConfigError
from facility.site import Tls

RECORD_BYTES = 16_384
"""Most that TLS gives at a time."""


class TlsSocket(ssl.SSLSocket):
    """Closes itself when it cannot shake hands, which kafka-python leaves to chance.

    Reads whole records, where kafka-python asks for a quarter of one.
    """

    def recv(self, buflen: int = RECORD_BYTES, flags: int = 0) -> bytes:
        """Give what is there."""
        return super().recv(max(buflen, RECORD_BYTES), flags)

    def do_handshake(self, block: bool = False) -> None:
        """Go on with the handshake."""
        try:
            super().do_handshake(block)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError:
            self.close()
            raise


class TlsContext(ssl.SSLContext):
    """One client's, which knows the sockets that it has made."""

    sslsocket_class = TlsSocket
    opened: WeakSet[ssl.SSLSocket]

    def __new__(cls) -> Self:
        """Make one that trusts nobody yet."""
        made = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.opened = WeakSet()
        return made

    def wrap_socket(self, *given: Any, **more: Any) -> ssl.SSLSocket:
        """Lay TLS over a socket."""
        made = super().wrap_socket(*given, **more)
        self.opened.add(made)
        return made

    def close_sockets(self) -> None:
        """Close what is left open."""
        for left_open in list(self.opened):
            left_open.close()


def client_context(tls: Tls) -> TlsContext:
    """Read the site's certificates.

    Raises:
        ConfigError: a file is not what it must be; it would not become so by trying on.
    """
    context = TlsContext()
    try:
        if tls.ca_file is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(tls.ca_file)
        context.check_hostname = tls.check_host_name
        if tls.certificate_file is not None:
            context.load_cert_chain(tls.certificate_file, tls.key_file)
    except OSError as error:  # ssl's own errors among them
        files = (tls.ca_file, tls.certificate_file, tls.key_file)
        raise ConfigError(
            f"kafka.tls: {', '.join(str(file) for file in files if file)}: {error}; give "
            "certificates and their key in PEM"
        ) from error
    return context
