"""How many connections to a store are open."""

from pathlib import Path

import psutil
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from scim_app.store.db.engines import is_postgres

_SESSIONS = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def count(store_url: str, process_id: int | None = None) -> int:
    """Return how many a process has open: to the file and to its notes, or all sessions of a server's database."""
    if not is_postgres(store_url):
        file = str(Path(make_url(store_url).database or "").absolute())
        files = psutil.Process(process_id).open_files()
        return sum(one.path in (file, f"{file}-notes") for one in files)
    engine = sa.create_engine(make_url(store_url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        return connection.execute(_SESSIONS).scalar_one()
