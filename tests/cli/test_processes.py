"""One `dev` on a home, Dagster's settings are the operator's, and what ends is started again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import make
import pytest

from scim_app.cli import dagster_home, processes
from scim_app.cli.processes import Child, Supervised, only_one

HOLD = """
import sys; from pathlib import Path; from scim_app.cli.processes import only_one
with only_one(Path(sys.argv[1])): print("locked", flush=True); sys.stdin.read()
"""


def test_a_second_one_on_a_home_is_refused_with_the_process_of_the_first(tmp_path: Path) -> None:
    path, command = tmp_path / "dev.lock", [sys.executable, "-c", HOLD, str(tmp_path / "dev.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=make.ROOT) as first:
        assert first.stdout
        assert first.stdout.readline() == b"locked\n"
        with pytest.raises(ValueError, match=f"process {first.pid} runs on"), only_one(path):
            pass
        refused = make.command("dev", "--port", str(make.free_port()), home=tmp_path, DAGSTER_SCIM_HOME=str(tmp_path))
        assert refused.returncode == 1
        assert f"process {first.pid} runs on" in refused.stderr
        assert first.poll() is None
        first.send_signal(signal.SIGKILL)
    with only_one(path) as was_killed:
        assert was_killed
        assert path.read_text() == f"{os.getpid()}\n"
    with only_one(path) as was_killed:
        assert not was_killed


def test_the_settings_of_an_operator_are_left_as_they_are(tmp_path: Path) -> None:
    settings = make.settings(tmp_path)
    path = settings.dagster_home / "dagster.yaml"
    assert make.command("prepare", home=tmp_path).stderr == ""
    assert path.read_text() == dagster_home.DELIVERED.read_text()
    path.write_text("# mine\n" + path.read_text().replace("max_concurrent_runs: 2", "max_concurrent_runs: 9"))
    written = path.read_text()
    told = make.command("prepare", home=tmp_path).stderr
    assert path.read_text() == written
    assert "-    max_concurrent_runs: 9" in told
    assert "+    max_concurrent_runs: 2" in told
    assert "mine" not in told


def test_a_process_that_ends_is_started_again_at_pauses_that_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(processes.time, "monotonic", lambda: now)

    def start(again: bool) -> Child:
        return Child.start(
            "sleeper", ["sleep", "600"], log_folder=tmp_path, env=make.environment(tmp_path), append=again
        )

    sleeper, pauses = Supervised(start), list[float]()
    try:
        assert sleeper.look() == ""
        for _ in range(8):
            sleeper.child.process.kill()
            sleeper.child.process.wait()
            ended, began = sleeper.child, now
            while not sleeper.look():
                now += 0.5
            assert sleeper.child is not ended
            pauses.append(now - began)
    finally:
        sleeper.stop()
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize("before", ["", "signal.signal(15, signal.SIG_IGN)", "signal.pthread_sigmask(0, {15})"])
def test_programs_end_with_the_one_that_started_them(tmp_path: Path, before: str) -> None:
    code = f"""
import os, signal, time; from pathlib import Path; from scim_app.cli.processes import Child
{before}
child = Child.start("sleeper", ["sleep", "600"], log_folder=Path({str(tmp_path)!r}), env=dict(os.environ))
print(child.process.pid, flush=True); time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=make.ROOT) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        parent.kill()

    def is_gone() -> bool:
        status = Path(f"/proc/{child}/stat")
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"

    make.until(is_gone, what="the end of the program")
