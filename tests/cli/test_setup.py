"""From a fresh installation behind https, with SCIM on, to a signed-in Organization Admin: by documented commands."""

import json
import ssl
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import make
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hostile_provider import CLIENT_ID, CLIENT_SECRET, noting, provider

ADMIN = "ada@example.com"


def certificate(folder: Path) -> Path:
    """A certificate of this machine with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    begin = datetime.now(UTC) - timedelta(hours=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def https_service(home: Path, address: str, pem: Path, **extra: str) -> Generator[httpx.Client]:
    """A browser before the service, which speaks TLS by itself."""
    port = str(urlsplit(address).port)
    command = [sys.executable, "-m", "uvicorn", "--factory", "scim_app.app:create_worker", "--port", port]
    command += ["--ssl-certfile", str(pem), "--log-level", "warning"]
    env = make.environment(home, DAGSTER_SCIM_PUBLIC_URL=address, **extra)
    with (home / "service.log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=make.ROOT)
    trust = ssl.create_default_context(cafile=str(pem))
    try:
        with httpx.Client(base_url=address, verify=trust, trust_env=False, timeout=60) as browser:
            make.until(lambda: _answers(browser), seconds=180, what="the service's start")
            yield browser
    finally:
        process.terminate()
        process.wait(30)


def test_the_first_admin_gets_in_by_https_with_scim_on_and_is_bound_at_the_provider(tmp_path: Path) -> None:
    port = make.free_port()
    address = f"https://127.0.0.1:{port}"
    pem = certificate(tmp_path)
    made = make.organization(make.settings(tmp_path))

    def run(*arguments: str) -> str:
        done = make.command(*arguments, home=tmp_path, DAGSTER_SCIM_PUBLIC_URL=address)
        assert done.returncode == 0, done.stderr
        return done.stdout

    link = run("setup", made.slug, ADMIN).strip()
    assert link.startswith(f"{address}/acme/settings/setup?code=")
    with provider() as (issuer, answers):
        oidc = {"ISSUER": issuer, "CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": CLIENT_SECRET}
        extra = {f"DAGSTER_SCIM_OIDC_{name}": value for name, value in oidc.items()}
        with https_service(tmp_path, address, pem, **extra) as browser:
            assert f"signs you in as <b>{ADMIN}</b>" in browser.get(link).text
            form = {"code": parse_qs(urlsplit(link).query)["code"][0]}
            headers = {"Origin": address, "Sec-Fetch-Site": "same-origin"}
            opened = browser.post("/acme/settings/setup", data=form, headers=headers)
            assert opened.status_code == 303
            cookie = opened.headers["set-cookie"]
            assert cookie.startswith("__Host-scim_session_acme=")
            assert {"Secure", "HttpOnly", "Path=/"} <= {part.strip() for part in cookie.split(";")}
            assert "Tokens" in browser.get("/acme/settings/tokens").text
            used = httpx.post(f"{address}/acme/settings/setup", data=form, headers=headers, verify=ssl_of(pem))
            assert (used.status_code, "dagster-scim setup acme" in used.text) == (403, True)

            begun = browser.get("/acme/settings/sign-in/start")
            state = noting(answers, begun.headers["location"])["state"]
            assert browser.get(f"/_/callback?state={state}&code=c").status_code == 303
            assert browser.get("/acme/settings/tokens").status_code == 200
    identities = json.loads(run("user", "identities", made.slug, ADMIN, "--json"))
    assert (identities["issuer"], identities["subject"]) == (issuer, "s-1")
    user = json.loads(run("user", "show", made.slug, ADMIN, "--json"))
    assert user["access"] == "Organization Admin by own grant"


def test_a_link_is_printed_only_where_it_is_safe(tmp_path: Path) -> None:
    made = make.organization(make.settings(tmp_path))
    plain = {"DAGSTER_SCIM_PUBLIC_URL": "http://scim.example.com"}
    refused = make.command("setup", made.slug, ADMIN, home=tmp_path, **plain)
    assert (refused.returncode, "https" in refused.stderr) == (1, True)
    nameless = make.command("org", "open", made.slug, home=tmp_path, DAGSTER_SCIM_PUBLIC_URL="https://scim.example.com")
    assert (nameless.returncode, "dagster-scim setup acme" in nameless.stderr) == (1, True)
    nobody = make.command("setup", made.slug, "ada", home=tmp_path)
    assert (nobody.returncode, "is not an e-mail address" in nobody.stderr) == (1, True)


def ssl_of(pem: Path) -> ssl.SSLContext:
    """What trusts a certificate."""
    return ssl.create_default_context(cafile=str(pem))


def _answers(browser: httpx.Client) -> bool:
    try:
        return browser.get("/readyz").is_success
    except httpx.HTTPError:
        return False
