"""Requests to an application in this process, and which threads serve them."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import make
from asgi import Client

from scim_app.app import create_app

Ask = Callable[[Client], Coroutine[Any, Any, Any]]
Run = Callable[[Ask], Any]
EMAILS = [{"value": f"a{number}@example.com", "type": "work"} for number in range(2_000)]


def runner(folder: Path, **settings: Any) -> Run:
    """What runs requests of a fresh organization in an application of their own."""
    organization = make.organization(make.settings(folder, **settings))

    def running(ask: Ask) -> Any:
        app = create_app(organization.settings)

        async def served() -> Any:
            async with app.router.lifespan_context(app):
                return await ask(Client(app, organization))

        return asyncio.run(served())

    return running


def noting(threads: list[str], real: Callable[..., Any]) -> Callable[..., Any]:
    """A function that also notes the name of the thread that it runs in."""

    def noted(*given: Any) -> Any:
        threads.append(threading.current_thread().name)
        return real(*given)

    return noted
