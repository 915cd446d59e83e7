"""An OpenID provider that can be told to lie."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from joserfc.jws import JWSRegistry

CLIENT_ID, CLIENT_SECRET = "dagster-scim", "shared secret of client and provider"
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
Json = dict[str, Any]


@dataclass(slots=True)
class Answers:
    """What the provider says next. Functions get the honest answer and return the one to give."""

    metadata: Callable[[Json], Json] = lambda honest: honest
    claims: Callable[[Json], Json] = lambda honest: honest
    token: Callable[[Json], Json] = lambda honest: honest
    keys: Callable[[Json], Json] = lambda honest: honest
    userinfo: Json = field(default_factory=dict[str, Any])
    alg: str = "RS256"
    key: Any = field(default_factory=lambda: RSA)
    nonce: str = ""
    challenge: str = ""
    asked: list[str] = field(default_factory=list[str])


def sign(claims: Json, alg: str, key: Any) -> str:
    """An ID token; `none` is signed by nobody."""
    if alg == "none":
        parts = ({"alg": "none", "typ": "JWT"}, claims)
        encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
        return ".".join([*encoded, ""])
    registry = JWSRegistry(algorithms=["RS256", "RS512", "PS256", "ES256", "HS256"])
    return jwt.encode({"alg": alg, "kid": getattr(key, "kid", None) or "rsa"}, claims, key, registry=registry)


@contextmanager
def provider() -> Generator[tuple[str, Answers]]:
    """A running provider: its issuer, and what it says."""
    answers = Answers()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(self.path)

        def do_POST(self) -> None:
            sent = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            verifier = sent.get("code_verifier", [""])[0].encode()
            proof = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).decode().rstrip("=")
            self._answer(self.path if proof == answers.challenge else "/no-proof")

        def _answer(self, path: str) -> None:
            answers.asked.append(path)
            body = _body(issuer, path, answers)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(400 if path == "/no-proof" else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield issuer, answers
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _body(issuer: str, path: str, answers: Answers) -> Any:
    if path == "/.well-known/openid-configuration":
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        honest = {"issuer": issuer, **{name: f"{issuer}/{path}" for name, path in names.items()}}
        return answers.metadata(honest | {"userinfo_endpoint": f"{issuer}/userinfo"})
    if path == "/keys":
        return answers.keys(KeySet([RSA, EC]).as_dict(private=False))
    if path == "/userinfo":
        return answers.userinfo
    if path == "/token":
        now = int(time.time())
        honest = {"iss": issuer, "aud": CLIENT_ID, "sub": "s-1", "iat": now, "exp": now + 300, "nonce": answers.nonce}
        claims = answers.claims(honest | {"email": "ada@example.com", "email_verified": True})
        text = sign(claims, answers.alg, answers.key)
        return answers.token({"access_token": "opaque", "token_type": "Bearer", "id_token": text})
    return {"error": "invalid_grant"}


def noting(answers: Answers, url: str) -> Json:
    """Remember what a browser would bring to the provider, and return the query of the address."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    answers.nonce, answers.challenge = asked["nonce"], asked["code_challenge"]
    return asked


SHARED = OctKey.import_key(CLIENT_SECRET)
