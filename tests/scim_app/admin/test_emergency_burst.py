"""Many wrong emergency passwords at once break nothing and keep nobody out."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import make

PASSWORD = "correct horse battery staple"


def test_64_wrong_passwords_at_once_break_nothing_and_keep_nobody_out(tmp_path: Path) -> None:
    made = make.organization(make.settings(tmp_path))
    assert make.command("org", "break-glass", made.slug, "--password", PASSWORD, home=tmp_path).returncode == 0
    with make.service(tmp_path) as service, httpx.Client(base_url=service.address, trust_env=False, timeout=120) as web:
        page = "/acme/settings/sign-in"
        csrf = re.search(r'name="csrf" value="(\w+)"', web.get(page).text)
        assert csrf is not None

        def try_password(number: int, password: str) -> httpx.Response:
            sent = {"password": password, "csrf": csrf[1]}
            headers = {"Sec-Fetch-Site": "same-origin", "X-Forwarded-For": f"198.51.100.{number}"}
            return web.post(f"{page}/emergency", data=sent, headers=headers)

        def sign_in() -> int:
            while (answer := try_password(200, PASSWORD)).status_code == 429:
                time.sleep(int(answer.headers["retry-after"]))
            return answer.status_code

        before = _peak_memory(service)
        with ThreadPoolExecutor(65) as threads:
            wrong = [threads.submit(try_password, number, f"wrong {number}") for number in range(64)]
            right = threads.submit(sign_in)
            statuses = {one.result().status_code for one in wrong}
        assert statuses <= {403, 429}
        assert 403 in statuses
        assert right.result() == 303
        assert _peak_memory(service) - before < 256 * 1024
    refused = [event for event in made.events() if event["type"] == "sign_in.refused"]
    assert len(refused) <= 2


def _peak_memory(service: make.Service) -> int:
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0])
