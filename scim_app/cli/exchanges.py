"""Recorded exchanges of identity providers, kept as JSON, and the player that repeats them over HTTP."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson


@dataclass(frozen=True, slots=True)
class Step:
    """One request and what is expected of its answer."""

    name: str
    method: str
    path: str
    expect: Mapping[str, Any]
    """`status`, and `body`: what the answer holds at least."""
    body: Any = None
    headers: Mapping[str, str] | None = None
    capture: Mapping[str, str] | None = None
    """Name → dotted path in the answer; later steps hold the value as `{name}`."""


@dataclass(frozen=True, slots=True)
class Story:
    """Requests that belong together, and what they come to."""

    name: str
    """Folder and file: `okta/deactivate`."""
    idp: str
    story: str
    source: str
    steps: tuple[Step, ...]
    demo: bool = False
    leavers: tuple[str, ...] = ()
    """`userName` of everyone who has lost access at the end."""
    failures: tuple[Mapping[str, Any], ...] = ()
    """The writes that are refused, in order: `method`, `path`, `status`, `scim_type`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a step; `problem` says how the answer differs from what was expected."""

    step: Step
    status: int
    problem: str | None


def load(folder: Path) -> list[Story]:
    """Return the stories below a folder, in order of name."""
    return [
        _story(path, path.relative_to(folder).with_suffix("").as_posix()) for path in sorted(folder.rglob("*.json"))
    ]


def _story(path: Path, name: str) -> Story:
    held = orjson.loads(path.read_bytes())
    steps = tuple(Step(**step) for step in held.pop("steps"))
    lists = {field: tuple(held.pop(field, ())) for field in ("leavers", "failures")}
    return Story(name=name, steps=steps, **lists, **held)


def play(story: Story, client: httpx.Client) -> Iterator[Outcome]:
    """Send a story's requests one after the other and yield what became of each; end where the rest can't be played.

    Args:
        story: the story.
        client: has the SCIM base URL as `base_url` and the token among its headers.
    """
    captured: dict[str, str] = {}
    for step in story.steps:
        answer = client.request(
            step.method,
            _filled(step.path, captured),
            content=None if step.body is None else orjson.dumps(_filled(step.body, captured)),
            headers={"Content-Type": "application/scim+json", **(step.headers or {})},
        )
        held = orjson.loads(answer.content) if answer.content else None
        problem = _problem(step, answer.status_code, held, captured)
        yield Outcome(step, answer.status_code, problem)
        if problem and step.capture:
            return  # the later steps need what this one did not give
        captured |= {name: str(_at(held, path)) for name, path in (step.capture or {}).items()}


def _problem(step: Step, status: int, held: Any, captured: Mapping[str, str]) -> str | None:
    if status != step.expect["status"]:
        said = held.get("detail") if isinstance(held, dict) else held
        return f"answered {status}, expected {step.expect['status']}: {said}"
    expected = _filled(step.expect.get("body"), captured)
    return None if expected is None else _difference(expected, held, "body")


def _difference(expected: Any, held: Any, where: str) -> str | None:
    """Return where an answer lacks what is expected; members of lists may be in any order."""
    if isinstance(expected, dict):
        if not isinstance(held, dict):
            return f"{where} is {held!r}, expected an object"
        found = (_difference(value, held.get(name), f"{where}.{name}") for name, value in expected.items())
        return next(filter(None, found), None)
    if isinstance(expected, list):
        lacking = [e for e in expected if not any(_difference(e, h, where) is None for h in held or [])]
        return f"{where} lacks {lacking[0]!r}" if lacking else None
    return None if expected == held else f"{where} is {held!r}, expected {expected!r}"


def _filled(value: Any, captured: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for name, text in captured.items():
            value = value.replace(f"{{{name}}}", text)
        return value
    if isinstance(value, dict):
        return {name: _filled(inner, captured) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, captured) for inner in value]
    return value


def _at(held: Any, path: str) -> Any:
    for part in path.split("."):
        held = held[int(part)] if isinstance(held, list) else held[part]
    return held
