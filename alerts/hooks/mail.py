"""E-mail by SMTP."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime

from alerts.hooks.blocking import OwnThread
from alerts.hooks.http import Login
from alerts.notice import Notification, fill_title, lines
from facility.alert_hooks import EmailHook
from facility.errors import HookRefused, HookUnavailable

LONGEST_SUBJECT = 200
MESSAGE_TOO_LARGE = 552


class Mail:
    """One list of recipients. The delivery id is in the Message-ID, so that one sent twice is seen.

    Raises:
        ConfigError: a secret or a certificate cannot be read.
    """

    def __init__(self, hook: EmailHook, external_url: str) -> None:
        self._hook = hook
        self._password = hook.password.reveal() if hook.password else ""
        self._tls = Login(ca_file=hook.ca_file).tls() if hook.tls != "none" else None
        self._external_url = external_url
        self._thread = OwnThread("mail", hook.timeout_seconds)

    async def send(self, notification: Notification) -> None:
        """Hand it to the mail server."""
        message = self._message(notification)
        await self._thread.run(lambda: self._hand_over(message))

    async def close(self) -> None:
        """Let go of the thread."""
        self._thread.close()

    def _message(self, notification: Notification) -> EmailMessage:
        hook = self._hook
        message = EmailMessage()
        message["Subject"] = fill_title(hook.title, notification)[:LONGEST_SUBJECT]
        message["From"] = hook.sender
        message["To"] = ", ".join(hook.recipients)
        message["Date"] = format_datetime(notification.made_at)
        domain = hook.sender.rpartition("@")[2]
        message["Message-ID"] = f"<{notification.delivery}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        urgent = min(notice.transition.priority for notice in notification.new) == 1
        message["X-Priority"] = "1" if urgent else "3"
        text = [*lines(notification), *([self._external_url] if self._external_url else [])]
        message.set_content("\n".join(text) + "\n")
        return message

    def _hand_over(self, message: EmailMessage) -> None:
        where = f"{self._hook.host}:{self._hook.port}"
        try:
            with self._connect() as server:
                if self._hook.user:
                    server.login(self._hook.user, self._password)
                if refused := server.send_message(message):
                    names = ", ".join(sorted(refused))
                    raise HookRefused(f"{where} takes the mail, but not for {names}")
        except smtplib.SMTPDataError as error:
            said = f"{where}: {error.smtp_code} {_text(error.smtp_error)}"
            if error.smtp_code == MESSAGE_TOO_LARGE:
                raise HookRefused(said) from error
            raise HookUnavailable(said) from error
        except smtplib.SMTPResponseException as error:
            said = f"{where}: {error.smtp_code} {_text(error.smtp_error)}"
            raise HookUnavailable(said) from error
        except (smtplib.SMTPException, OSError) as error:
            raise HookUnavailable(f"{where}: {error or type(error).__name__}") from error

    def _connect(self) -> smtplib.SMTP:
        hook, tls = self._hook, self._tls
        if hook.tls == "tls":
            return smtplib.SMTP_SSL(hook.host, hook.port, timeout=hook.timeout_seconds, context=tls)
        server = smtplib.SMTP(hook.host, hook.port, timeout=hook.timeout_seconds)
        if tls is not None:
            try:
                server.starttls(context=tls)
            except (smtplib.SMTPException, ssl.SSLError, OSError):
                server.close()
                raise
        return server


def _text(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())
