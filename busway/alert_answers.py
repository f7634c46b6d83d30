"""What the running alert engine answers over HTTP: the standing alerts, and what people do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from alerts.board import Action, Deed
from alerts.engine import Engine
from alerts.silences import Silence
from alerts.standing import NEVER
from alerts.telling import Telling
from busway.health import Answer
from facility.alert import Transition
from facility.alert_routes import Match
from facility.errors import HookError, QueryError
from facility.validation import explain

ACT_SECONDS = 10.0
MOST_HOURS = 24 * 30
DEEDS = {
    "ack": Deed.ACKNOWLEDGE,
    "shelve": Deed.SHELVE,
    "unshelve": Deed.UNSHELVE,
    "out-of-service": Deed.TAKE_OUT_OF_SERVICE,
    "in-service": Deed.PUT_BACK,
}
Names = Mapping[str, str]
Said = Mapping[str, Any]


class Desk:
    """Where people ask, and say what they do."""

    def __init__(self, engine: Engine, telling: Telling) -> None:
        self._engine = engine
        self._telling = telling

    def answers(self) -> dict[tuple[str, str], Answer]:
        """Give all answers, by method and path."""
        return {
            ("GET", "/alerts"): self._alerts,
            ("POST", "/alerts/{alert}/{deed}"): self._act,
            ("GET", "/silences"): self._silences,
            ("POST", "/silences"): self._silence,
            ("POST", "/silences/{silence}/end"): self._end_silence,
            ("GET", "/hooks"): self._hooks,
            ("POST", "/hooks/{hook}/test"): self._test,
        }

    async def _alerts(self, _: Names, __: Said) -> object:
        rows = await asyncio.to_thread(self._telling.queue.standing)
        return [_row(began_at, told, self._telling.queue.is_quiet) for began_at, told in rows]

    async def _act(self, names: Names, said: Said) -> object:
        if (deed := DEEDS.get(names["deed"])) is None:
            raise QueryError(f"{names['deed']!r} is none of {', '.join(DEEDS)}")
        actor = _text(said, "actor", needed=True)
        until_us = NEVER
        if deed is Deed.SHELVE:
            until_us = int((time.time() + 3600 * _hours(said)) * 1e6)
        asked = self._engine.act(Action(names["alert"], deed, actor, until_us))
        try:
            async with asyncio.timeout(ACT_SECONDS):
                told = await asyncio.wrap_future(asked)
        except (TimeoutError, asyncio.CancelledError) as error:
            raise QueryError("the engine is busy, or stopping; look whether it was done") from error
        return [{"alert": t.alert, "state": t.state, "message": t.message} for t in told]

    async def _silences(self, _: Names, __: Said) -> object:
        found = await asyncio.to_thread(self._telling.silences.all)
        return [_silence(each) for each in found]

    async def _silence(self, _: Names, said: Said) -> object:
        match = _match(said.get("match"))
        comment = _text(said, "comment", needed=False)
        author = _text(said, "author", needed=True)
        return _silence(await self._telling.silence(match, _hours(said), author, comment))

    async def _end_silence(self, names: Names, _: Said) -> object:
        if not await self._telling.end_silence(names["silence"]):
            raise QueryError(f"no silence {names['silence']!r} goes on")
        return {}

    async def _hooks(self, _: Names, __: Said) -> object:
        return await asyncio.to_thread(self._telling.hooks)

    async def _test(self, names: Names, _: Said) -> object:
        try:
            await self._telling.test(names["hook"])
        except HookError as error:
            raise QueryError(f"{names['hook']}: {error}") from error
        return {}


def _row(
    began_at: datetime, told: Transition, is_quiet: Callable[[Transition], bool]
) -> dict[str, Any]:
    return {
        "alert": told.alert,
        "priority": told.priority,
        "state": told.state,
        "since": began_at.isoformat(),
        "class": told.class_,
        "rule": told.rule,
        "device": told.device,
        "component": told.component,
        "message": told.message,
        "response": told.response,
        "cause": told.cause,
        "actor": told.actor or None,
        "until": told.until_at.isoformat() if told.until_at else None,
        "is_silenced": is_quiet(told),
    }


def _silence(silence: Silence) -> dict[str, Any]:
    return {
        "silence": silence.id,
        "match": silence.match.model_dump_json(by_alias=True, exclude_defaults=True),
        "starts": silence.starts_at.isoformat(),
        "ends": silence.ends_at.isoformat(),
        "author": silence.author,
        "comment": silence.comment,
    }


def _match(said: object) -> Match:
    try:
        match = Match.model_validate(said)
    except ValidationError as error:
        keys = [field.alias or name for name, field in Match.model_fields.items()]
        found = explain(error, said, lambda _: keys)
        texts = (f"{'.'.join(map(str, path))}: {text}" for path, text in found)
        raise QueryError("; ".join(texts)) from error
    if match.is_empty:
        raise QueryError('a silence for all alerts is none; say which, or device "*" for all')
    return match


def _hours(said: Said) -> float:
    hours = said.get("hours")
    if not isinstance(hours, (int, float)) or not 0 < hours <= MOST_HOURS:
        raise QueryError(f"hours must be a number above 0, at most {MOST_HOURS}; found {hours!r}")
    return float(hours)


def _text(said: Said, name: str, *, needed: bool) -> str:
    text = said.get(name, "")
    if not isinstance(text, str) or (needed and not text.strip()):
        raise QueryError(f"{name} must be a text that is not empty; found {text!r}")
    return text.strip()
