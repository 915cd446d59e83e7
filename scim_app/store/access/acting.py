"""Somebody at work in one organization: the reads and writes of the store, without repeating who and where."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa

from scim_app.directory.events import Actor
from scim_app.store.access.organizations import Organization
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts in which organization. Whatever a read or a write raises comes through."""

    store: Store
    organization: Organization
    actor: Actor

    def read(self, query: Callable[Concatenate[sa.Connection, str, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a query of the store gives: it is called with a connection and the organization's id first."""
        return self.store.read(lambda db: query(db, self.organization.id, *args, **kwargs))

    def write(self, change: Callable[Concatenate[Unit, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a change of the store gives, once it is durable: it is called with the write first."""
        org_id = self.organization.id
        return self.store.write(lambda db: change(Unit.begin(db, org_id, self.actor), *args, **kwargs), org_id)
