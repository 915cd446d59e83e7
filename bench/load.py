"""A small closed-loop client over raw asyncio streams, and the CPU time of a server's processes."""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

import orjson
import psutil

Request = tuple[str, str, object | None]
"""Method, path and body; bytes are sent as they are."""
Ask = Callable[[int], Request]


@dataclass(frozen=True, slots=True)
class Figures:
    """What a round of requests took."""

    per_second: float
    cpu_ms: float
    """CPU time of the server per request."""
    p50_ms: float
    p99_ms: float


def run(server: psutil.Process, port: int, token: str, ask: Ask, seconds: float, at_once: int) -> Figures:
    """Send requests over `at_once` connections for some seconds; raises on any answer of 400 or above."""
    times: list[float] = []
    cpu, began = cpu_seconds(server), time.perf_counter()
    asyncio.run(_all(port, token, ask, lambda: time.perf_counter() < began + seconds, at_once, times))
    return _figures(times, time.perf_counter() - began, cpu_seconds(server) - cpu)


def send(port: int, token: str, request: Request) -> tuple[bytes, float]:
    """Return the body of one answer and the seconds that it took, by a client that costs next to nothing itself."""
    whole = _bytes(request, token)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        began = time.perf_counter()
        connection.sendall(whole)
        with connection.makefile("rb", buffering=2**20) as answer:
            status, length = int(answer.readline()[9:12]), 0
            while line := answer.readline().strip().lower():
                length = int(line[15:]) if line.startswith(b"content-length:") else length
            body = answer.read(length)
        return _checked(status, body), time.perf_counter() - began


def meanwhile(
    server: psutil.Process, port: int, token: str, ask: Ask, request: Request, at_once: int
) -> tuple[float, Figures]:
    """Return the seconds that one large request takes, and the figures of others meanwhile."""

    async def both() -> tuple[float, Figures]:
        times: list[float] = []
        cpu, began = cpu_seconds(server), time.perf_counter()
        large = asyncio.create_task(_send(port, token, request))
        await _all(port, token, ask, lambda: not large.done(), at_once, times)
        took = (await large)[1]
        return took, _figures(times, time.perf_counter() - began, cpu_seconds(server) - cpu)

    return asyncio.run(both())


def cpu_seconds(server: psutil.Process) -> float:
    """Return the CPU time that a server and its workers have had."""
    processes = [server, *server.children(recursive=True)]
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def _figures(times: list[float], took: float, cpu: float) -> Figures:
    times.sort()
    middle, last = times[len(times) // 2], times[len(times) * 99 // 100]
    return Figures(len(times) / took, cpu * 1000 / len(times), middle * 1000, last * 1000)


async def _all(port: int, token: str, ask: Ask, going: Callable[[], bool], at_once: int, times: list[float]) -> None:
    numbers = iter(range(10**9))

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**26)
        for number in numbers:
            began = time.perf_counter()
            writer.write(_bytes(ask(number), token))
            await _answer(reader)
            times.append(time.perf_counter() - began)
            if not going():
                break
        writer.close()

    await asyncio.gather(*(one() for _ in range(at_once)))


async def _send(port: int, token: str, request: Request) -> tuple[bytes, float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**26)
    whole = _bytes(request, token)
    began = time.perf_counter()
    writer.write(whole)
    body = await _answer(reader)
    writer.close()
    return body, time.perf_counter() - began


def _bytes(request: Request, token: str) -> bytes:
    method, path, body = request
    content = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    kind = "Content-Type: application/scim+json\r\n" if content else ""
    return f"{head}{kind}Content-Length: {len(content)}\r\n\r\n".encode() + content


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head[9:12])
    length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return _checked(status, await reader.readexactly(int(length)) if length else b"")


def _checked(status: int, body: bytes) -> bytes:
    if status >= 400:
        raise RuntimeError(f"answered {status}: {body[:300]!r}")
    return body


def pin(process: psutil.Process, cores: list[int]) -> None:
    """Keep a process and its children on some cores, where there are several."""
    if (os.cpu_count() or 1) > 1:
        for one in (process, *process.children(recursive=True)):
            one.cpu_affinity(cores)
