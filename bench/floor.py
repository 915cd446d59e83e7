"""The floor: a bare FastAPI application that asks or writes one statement, durable, and knows nothing of SCIM.

What a Python server can't beat: `/plain` answers a fixed document, `/one` selects a stored document by an index,
`POST /one` inserts a row and commits with `synchronous=FULL` (SQLite) or `synchronous_commit=on` (PostgreSQL).
Address of the database: FLOOR_URL, a file's path or `postgresql://…`.
"""

import os
import sqlite3
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response

URL = os.environ["FLOOR_URL"]
POSTGRES = URL.startswith("postgres")
DOCUMENT = orjson.dumps(
    {"id": "x", "userName": "ada@example.com", "displayName": "Ada", "active": True, "title": "T" * 300}
)


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
SELECT = "SELECT document FROM floor WHERE name = %s" if POSTGRES else "SELECT document FROM floor WHERE name = ?"
INSERT = "INSERT INTO floor VALUES (%s, %s)" if POSTGRES else "INSERT INTO floor VALUES (?, ?)"
app = FastAPI()


@app.get("/plain")
async def plain() -> Response:
    """A fixed document."""
    return Response(DOCUMENT, media_type="application/json")


@app.get("/one/{name}")
async def select(name: str) -> Response:
    """A stored document."""
    row = db.execute(SELECT, (name,)).fetchone()
    return Response(row[0] if row else b"{}", 200 if row else 404, media_type="application/json")


@app.post("/one/{name}")
async def insert(name: str, request: Request) -> Response:
    """A new document, durable."""
    body = await request.body()
    db.execute(INSERT, (name, body.decode()))
    return Response(body, 201, media_type="application/json")
