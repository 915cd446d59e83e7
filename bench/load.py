"""A small closed-loop client over raw asyncio streams, and the CPU time of a server's processes."""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import orjson
import psutil

Request = tuple[str, str, object | None]
"""Method, path and body."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a round of requests took."""

    per_second: float
    cpu_ms: float
    """CPU time of the server per request."""
    p50_ms: float
    p99_ms: float


def run(
    server: psutil.Process, port: int, token: str, ask: Callable[[int], Request], seconds: float, at_once: int
) -> Figures:
    """Send requests over `at_once` connections for some seconds; raises on any answer of 400 or above."""
    times: list[float] = []
    cpu = _cpu(server)
    began = time.perf_counter()
    asyncio.run(_all(port, token, ask, began + seconds, at_once, times))
    took = time.perf_counter() - began
    times.sort()
    spent = (_cpu(server) - cpu) * 1000 / len(times)
    return Figures(len(times) / took, spent, times[len(times) // 2] * 1000, times[len(times) * 99 // 100] * 1000)


def _cpu(server: psutil.Process) -> float:
    processes = [server, *server.children(recursive=True)]
    return sum(sum(process.cpu_times()[:2]) for process in processes)


async def _all(
    port: int, token: str, ask: Callable[[int], Request], until: float, at_once: int, times: list[float]
) -> None:
    numbers = iter(range(10**9))

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            if time.perf_counter() >= until:
                break
            began = time.perf_counter()
            writer.write(_bytes(ask(number), token))
            await _answer(reader)
            times.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(one() for _ in range(at_once)))


def _bytes(request: Request, token: str) -> bytes:
    method, path, body = request
    content = b"" if body is None else orjson.dumps(body)
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    kind = "Content-Type: application/scim+json\r\n" if content else ""
    return f"{head}{kind}Content-Length: {len(content)}\r\n\r\n".encode() + content


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head[9:12])
    length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
    body = await reader.readexactly(int(length)) if length else b""
    if status >= 400:
        raise RuntimeError(f"answered {status}: {body[:300]!r}")
    return body


def pin(process: psutil.Process, core: int) -> None:
    """Keep a process and its children on one core, where there are several."""
    if (os.cpu_count() or 1) > 1:
        for one in (process, *process.children(recursive=True)):
            one.cpu_affinity([core])
