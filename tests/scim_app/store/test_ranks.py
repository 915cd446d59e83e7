"""A page begins at its rank, from whichever end of a block that is met sooner."""

from pathlib import Path

import make
import sqlalchemy as sa

from scim_app.directory.events import EventType
from scim_app.directory.kinds import USER
from scim_app.store.db.engines import open_owner
from scim_app.store.db.tables import users
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store
from scim_app.store.resources import resources
from scim_app.store.search import ranks

PEOPLE = 2 * ranks.BLOCK + 300


def test_a_page_begins_at_its_rank_wherever_that_is_in_a_block(folder: Path) -> None:
    organization = make.organization(make.settings(folder))
    people = [make.user(f"u{number}") for number in range(PEOPLE)]
    store = Store(organization.settings.store_url)
    store.write(
        lambda db: resources.insert_all(
            Unit.begin(db, organization.id, make.ACTOR), USER, people, EventType.USER_CREATED, "scim"
        )
    )
    store.close()
    engine = open_owner(organization.settings.store_url)
    with engine.begin() as connection:
        # Some are gone: most of the first block, and the last of all.
        gone = users.c.position.between(10, 900) | (users.c.position > PEOPLE - 20) | (users.c.position % 7 == 0)
        connection.execute(sa.update(users).where(gone).values(deleted_at="2026"))
        live = sa.select(users.c.id).where(users.c.deleted_at.is_(None)).order_by(users.c.position)
        left = list(connection.scalars(live))
        for start in (1, 2, 60, *range(100, len(left) + 3, 97), len(left) - 1, len(left), len(left) + 1):
            total, page = ranks.page(connection, organization.id, USER, start, 100)
            assert (total, [row[0] for row in page]) == (len(left), left[start - 1 : start + 99])
    engine.dispose()
