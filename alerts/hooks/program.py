"""A program that is told by its environment: no shell, and nothing of an alert in its arguments."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress

from alerts.message import as_text
from alerts.notice import Notification, lines, place_of
from facility.alert_hooks import ExecHook
from facility.errors import HookUnavailable

LONGEST_VALUE = 8_000


class Program:
    """One command. Its own standard error goes where ours goes."""

    def __init__(self, hook: ExecHook) -> None:
        self._command = hook.command
        self._timeout_s = hook.timeout_seconds

    async def send(self, notification: Notification) -> None:
        """Run it once; status 0 says that it has done its work."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                env=environment(notification),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise HookUnavailable(f"{self._command[0]} cannot be run: {error}") from error
        try:
            async with asyncio.timeout(self._timeout_s):
                status = await process.wait()
        except TimeoutError:
            raise HookUnavailable(
                f"{self._command[0]} is not done within {self._timeout_s:g} s, and was killed"
            ) from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if status:
            raise HookUnavailable(f"{self._command[0]} ends with status {status}")

    async def close(self) -> None:
        """Nothing is kept open."""


def environment(notification: Notification) -> dict[str, str]:
    """Give all that a program is told: of the most urgent alert, and all of them as a text."""
    notice = notification.new[0]
    transition = notice.transition
    facts: Mapping[str, str] = {
        "DELIVERY": notification.delivery,
        "SITE": notification.site,
        "STATUS": notification.status,
        "COUNT": str(len(notification.new)),
        "TEXT": "\n".join(lines(notification)),
        "ALERT": transition.alert,
        "ALERT_STATUS": notice.status,
        "BEGAN_AT": notice.began_at.isoformat(),
        "RULE": transition.rule,
        "DEVICE": transition.device,
        "COMPONENT": transition.component,
        "QUANTITY": transition.quantity,
        "PLACE": place_of(notice),
        "PRIORITY": str(transition.priority),
        "CLASS": transition.class_,
        "OWNER": transition.owner,
        "VALUE": "" if transition.value is None else as_text(transition.value),
        "MESSAGE": transition.message,
        "RESPONSE": transition.response,
    }
    told = {f"BUSWAY_{name}": _sound(value) for name, value in facts.items()}
    return {"PATH": os.environ.get("PATH", os.defpath), **told}


def _sound(value: str) -> str:
    return value.replace("\0", " ")[:LONGEST_VALUE]
