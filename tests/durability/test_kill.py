"""A process that is killed in the middle of writes has lost nothing that it acknowledged."""

import itertools
import signal
import threading
from pathlib import Path

import httpx
import make

WRITERS = 4
ACKNOWLEDGED_BEFORE_KILL = 40


def test_after_kill_9_every_acknowledged_write_is_there(folder: Path) -> None:
    organization = make.organization(make.settings(folder))
    acknowledged: list[str] = []
    numbers = itertools.count()

    def write(address: str) -> None:
        with organization.client(address) as client:
            while True:
                name = f"u{next(numbers)}@example.com"
                try:
                    answer = client.post("/Users", json=make.user(name))
                except httpx.HTTPError:
                    return
                if answer.status_code == 201:
                    acknowledged.append(name)

    with make.service(folder) as running:
        threads = [threading.Thread(target=write, args=(running.address,)) for _ in range(WRITERS)]
        for thread in threads:
            thread.start()
        make.until(lambda: len(acknowledged) >= ACKNOWLEDGED_BEFORE_KILL, what="enough writes")
        running.process.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join()

    with make.service(folder) as running, organization.client(running.address) as client:
        for name in acknowledged:
            assert client.get("/Users", params={"filter": f'userName eq "{name}"'}).json()["totalResults"] == 1
        assert client.post("/Users", json=make.user("after@example.com")).status_code == 201
    with organization.export() as export:
        assert export.first_break(organization.id) is None
        assert export.unexplained(organization.id) == []
