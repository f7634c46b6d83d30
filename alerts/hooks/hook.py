"""What a hook is."""

from __future__ import annotations

from typing import Protocol

from alerts.notice import Notification


class Sender(Protocol):
    """Sends notifications of one hook, one at a time."""

    async def send(self, notification: Notification) -> None:
        """Send it, within the hook's timeout; return when the receiver has it.

        Raises:
            HookUnavailable: it has not, as far as is known; it may be tried again.
            HookRefused: it will never take it.
        """

    async def close(self) -> None:
        """Let go of connections. Safe twice."""
