"""What an admin is told before deciding who a person is."""

import sqlalchemy as sa

from scim_app.store.sign_in import provenance
from scim_app.store.sign_in.identity_requests import IdentityRequest


def question(db: sa.Connection, org_id: str, asked: IdentityRequest) -> list[str]:
    """Return what is known of a person who waits and of the account, and what to do before saying yes."""
    known = f"{asked.issuer} knows the person as {asked.subject}"
    vouched = f" and vouches for the address {asked.email}." if asked.email else ", and vouches for no address."
    names = sorted(provenance.of_user(db, org_id, asked.user_id).addresses - {asked.user_name})
    former = f", and it has or had these addresses: {', '.join(names)}." if names else "."
    return [
        known + vouched,
        f"The account is called {asked.user_name}{former}",
        "Ask the person by another way, such as a call, whether they signed in just now. "
        "Whoever you let in here holds all roles of this account from then on.",
    ]
