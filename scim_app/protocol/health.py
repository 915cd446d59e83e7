"""`/healthz`, whether the process answers, and `/readyz`, whether it should be sent requests."""

import asyncio
import signal
from collections.abc import Callable
from http import HTTPStatus
from types import FrameType
from typing import Any

from fastapi import FastAPI
from starlette.responses import JSONResponse, Response

from scim_app.errors import RETRY_SECONDS
from scim_app.store.log.readiness import Readiness


class Drain:
    """The time between the signal to stop and the end, in which load balancers see that they should go elsewhere."""

    def __init__(self) -> None:
        self.begun = False

    def on_signals(self, seconds: float) -> None:
        """Begin at SIGTERM and SIGINT, and stop so many seconds later, or at once at the next signal.

        To be called in the main thread by the event loop of a server that has set its handlers already.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            stop = signal.getsignal(number)
            if callable(stop):
                signal.signal(number, self._beginning(stop, seconds, asyncio.get_running_loop()))

    def _beginning(
        self, stop: Callable[[int, FrameType | None], Any], seconds: float, loop: asyncio.AbstractEventLoop
    ) -> Callable[[int, FrameType | None], None]:
        def begin(number: int, frame: FrameType | None) -> None:
            if self.begun or not seconds:
                self.begun = True
                stop(number, frame)
            else:
                self.begun = True
                loop.call_soon_threadsafe(loop.call_later, seconds, stop, number, None)

        return begin


def add_health(app: FastAPI, readiness: Readiness, drain: Drain) -> None:
    """Give an application both routes; `/readyz` answers 503 with each reason under `problems`."""
    app.add_api_route("/healthz", lambda: {"status": "ok"})

    @app.get("/readyz")
    def ready() -> Response:
        problems = {"drain": "the service is shutting down"} if drain.begun else readiness.problems()
        if not problems:
            return JSONResponse({"status": "ok"})
        body = {"status": "unavailable", "detail": "; ".join(problems.values()), "problems": problems}
        return JSONResponse(body, HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": str(RETRY_SECONDS)})
