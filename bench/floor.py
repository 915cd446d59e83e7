"""The floor: a bare FastAPI application over the database's driver, durable, that knows nothing of SCIM.

What a Python server can't beat: a token's hash is compared, JSON is read and written, a statement is run; no schema,
no event, no uniqueness told. `/one` selects, inserts or updates a stored document and commits with `synchronous=FULL`
(SQLite) or `synchronous_commit=on` (PostgreSQL); `/page` joins a hundred documents of a range of keys; `/members`
changes and lists rows of a group.
Address of the database: FLOOR_URL, a file's path or `postgresql://…`.
"""

import hashlib
import hmac
import os
import sqlite3
import time
import uuid
from typing import Any
from urllib.parse import parse_qs

import orjson
from fastapi import FastAPI, HTTPException, Request, Response

URL = os.environ["FLOOR_URL"]
POSTGRES = URL.startswith("postgres")
MARK = "%s" if POSTGRES else "?"


def _connect() -> Any:
    if POSTGRES:
        import psycopg

        return psycopg.connect(URL, autocommit=True)
    connection = sqlite3.connect(URL, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


db = _connect()
db.execute("CREATE TABLE IF NOT EXISTS floor (name VARCHAR(64) PRIMARY KEY, document TEXT NOT NULL)")
db.execute("CREATE TABLE IF NOT EXISTS members (team VARCHAR(64), member VARCHAR(64), PRIMARY KEY (team, member))")
app = FastAPI()
TOKEN = hashlib.sha256(b"floor").digest()
LIST = '{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":%d,"Resources":[%s]}'


def check(request: Request) -> None:
    """Refuse whoever has another token."""
    given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
    if not hmac.compare_digest(hashlib.sha256(given).digest(), TOKEN):
        raise HTTPException(401)


def rendered(document: dict[str, Any]) -> str:
    """A document with what a server gives it."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    version = f'W/"{uuid.uuid4().hex[:12]}"'
    document["meta"] = {"resourceType": "User", "created": now, "lastModified": now, "version": version}
    return orjson.dumps({"id": str(uuid.uuid4()), **document}).decode()


def run(statement: str, *values: Any) -> Any:
    """Run a statement written with `?`."""
    return db.execute(statement.replace("?", MARK), values)


def answer(body: Any, status: int = 200) -> Response:
    """An answer whose body is JSON already."""
    return Response(body, status, media_type="application/json")


@app.get("/plain")
async def plain() -> Response:
    """A fixed document."""
    return answer(b'{"id":"x"}')


@app.get("/one/{name}")
async def select(name: str, request: Request) -> Response:
    """A stored document."""
    check(request)
    row = run("SELECT document FROM floor WHERE name = ?", name).fetchone()
    return answer(row[0] if row else b"{}")


@app.get("/one")
async def find(request: Request) -> Response:
    """The document of a name, in a list."""
    check(request)
    text = parse_qs(request.scope["query_string"].decode())["filter"][0]
    rows = run("SELECT document FROM floor WHERE name = ?", orjson.loads(text.split(" ", 2)[2])).fetchall()
    return answer(LIST % (len(rows), ",".join(row[0] for row in rows)))


@app.post("/one/{name}")
async def insert(name: str, request: Request) -> Response:
    """A new document, durable."""
    check(request)
    body = rendered(orjson.loads(await request.body()))
    run("INSERT INTO floor VALUES (?, ?)", name, body)
    return answer(body, 201)


@app.put("/one/{name}")
async def update(name: str, request: Request) -> Response:
    """Another document in the place of one, durable."""
    check(request)
    body = rendered(orjson.loads(await request.body()))
    run("UPDATE floor SET document = ? WHERE name = ?", body, name)
    return answer(body)


@app.patch("/one/{name}")
async def change(name: str, request: Request) -> Response:
    """A document with another value, durable."""
    check(request)
    body = orjson.loads(await request.body())
    row = run("SELECT document FROM floor WHERE name = ?", name).fetchone()
    text = rendered({**orjson.loads(row[0]), **body["Operations"][0]["value"]})
    run("UPDATE floor SET document = ? WHERE name = ?", text, name)
    return answer(text)


@app.get("/page/{name}")
async def page(name: str, request: Request) -> Response:
    """A hundred documents from a key on."""
    check(request)
    rows = run("SELECT document FROM floor WHERE name >= ? ORDER BY name LIMIT 100", name).fetchall()
    return answer(LIST % (len(rows), ",".join(row[0] for row in rows)))


@app.patch("/members/{team}/{member}")
async def member(team: str, member: str, request: Request) -> Response:
    """One member more or less, durable."""
    check(request)
    body = orjson.loads(await request.body())
    if body["Operations"][0]["op"] == "add":
        run("INSERT INTO members VALUES (?, ?) ON CONFLICT DO NOTHING", team, member)
    else:
        run("DELETE FROM members WHERE team = ? AND member = ?", team, member)
    return Response(status_code=204)


@app.patch("/members/{team}")
async def members(team: str, request: Request) -> Response:
    """Exactly these members: what is too much goes, what is missing comes, in one transaction."""
    check(request)
    body = orjson.loads(await request.body())
    wanted = {one["value"] for one in body["Operations"][0]["value"]}
    there = {row[0] for row in run("SELECT member FROM members WHERE team = ?", team).fetchall()}
    cursor = db.cursor()
    cursor.execute("BEGIN")
    gone, new = [(team, one) for one in there - wanted], [(team, one) for one in wanted - there]
    for statement, rows in (
        ("DELETE FROM members WHERE team = ? AND member = ?", gone),
        ("INSERT INTO members VALUES (?, ?)", new),
    ):
        if rows:
            cursor.executemany(statement.replace("?", MARK), rows)
    cursor.execute("COMMIT")
    return Response(status_code=204)
