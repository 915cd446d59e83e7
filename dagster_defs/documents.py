"""How the warehouse reads SCIM documents: macros of DuckDB, made from the declarations of the reported attributes."""

from collections.abc import Mapping

from scim_app.store.export.columns import TEAM_PATHS, USER_PATHS

_EMAILS = """
CREATE OR REPLACE TEMP MACRO emails_given(document) AS
    list_filter(json_extract(document, '$.emails[*]'), lambda one: coalesce((one ->> 'value'), '') <> '');
CREATE OR REPLACE TEMP MACRO user_email(document) AS coalesce(
    list_filter(emails_given(document), lambda one: (one -> 'primary')::VARCHAR = 'true')[1] ->> 'value',
    emails_given(document)[1] ->> 'value'
);"""
"""The primary e-mail address, else the first."""


def folded(name: str) -> str:
    """Return the expression of the form in which a name compares; names that the store tells apart differ in it."""
    # DuckDB makes a Turkish dotted capital a plain i; the store, as Unicode, an i with a dot above.
    return f"lower(nfc_normalize(replace({name}, '\u0130', 'i\u0307')))"


_RULES = f"""
CREATE OR REPLACE TEMP MACRO user_active(document) AS (document -> '$.active')::VARCHAR IS DISTINCT FROM 'false';
CREATE OR REPLACE TEMP MACRO holds(from_seq, until_seq, moment) AS
    from_seq <= moment AND (until_seq IS NULL OR until_seq > moment);
CREATE OR REPLACE TEMP MACRO team_active(document) AS document IS NOT NULL;
{_EMAILS}
CREATE OR REPLACE TEMP MACRO without_tombstone(name) AS regexp_replace(name, '^[0-9a-fA-F]{{32}}([^@]+@)', '\\1');
CREATE OR REPLACE TEMP MACRO is_address(name) AS regexp_matches(name, '^[^@\\s]+@[^@\\s]+$');
CREATE OR REPLACE TEMP MACRO sign_in_address(name, email) AS
    if(is_address(without_tombstone(name)), without_tombstone(name), email);
"""


def macros() -> str:
    """Return the statements that give a connection the macros of `STRUCTS` and their rules."""
    return _RULES + "".join(_macro(name, fields) for name, fields in STRUCTS.items()) + _job_macros()


_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
JOB_ATTRIBUTES = {
    "title": "title",
    "userType": "user type",
    f"{_ENTERPRISE}:department": "department",
    f"{_ENTERPRISE}:division": "division",
    f"{_ENTERPRISE}:costCenter": "cost center",
    f"{_ENTERPRISE}:manager": "manager",
}
"""Attributes whose change makes a mover, with the words for them."""

_TOLD = """
CREATE OR REPLACE TEMP MACRO told(value) AS coalesce(nullif(coalesce(
    if(json_type(value) = 'OBJECT', coalesce(value ->> '$.displayName', value ->> '$.value'), value ->> '$')
, ''), ''), 'none');
"""


def _job_macros() -> str:
    """Return macros that say in words what an event's `change` did to a person's job; empty when it did nothing."""
    before, after = (f"told(json_extract(entry, '$.attributes.{{key}}.{side}'))" for side in ("before", "after"))
    sides = {"job_change": f"{before} || ' → ' || {after}", "job_before": before, "job_after": after}
    return _TOLD + "".join(_job_macro(name, said) for name, said in sides.items())


def _job_macro(name: str, said: str) -> str:
    parts = [
        f"if(json_exists(entry, '$.attributes.\"{path}\"'), '{words}: ' || "
        + said.replace("{key}", f'"{path}"')
        + ", NULL)"
        for path, words in JOB_ATTRIBUTES.items()
    ]
    return f"CREATE OR REPLACE TEMP MACRO {name}(entry) AS concat_ws('; ', {', '.join(parts)});\n"


def _macro(name: str, fields: Mapping[str, str]) -> str:
    body = ", ".join(f"{column}: {expression}" for column, expression in fields.items())
    return f"CREATE OR REPLACE TEMP MACRO {name}(document) AS {{{body}}};\n"


def _fields(paths: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {column: _read(keys) for column, keys in paths.items()}


def _read(keys: tuple[str, ...]) -> str:
    path = ".".join(f'"{key}"' for key in keys)
    return f"nullif(document ->> '$.{path}', '')"


STRUCTS = {
    "user_columns": _fields(USER_PATHS)
    | {
        "active": "user_active(document)",
        "email": "user_email(document)",
        "sign_in_address": f"sign_in_address({_read(USER_PATHS['user_name'])}, user_email(document))",
    },
    "team_columns": _fields(TEAM_PATHS),
}
"""Macros that return a document's reported columns as a struct: name and how it is read; `unnest` unfolds it."""
