"""Member changes compose: doing two one after the other is doing their composition."""

from hypothesis import given
from hypothesis import strategies as st

from scim_app.directory.membership import MemberDelta

PEOPLE = st.lists(st.sampled_from("abcde"), max_size=4)
DELTAS = st.one_of(
    PEOPLE.map(lambda people: MemberDelta.add(*people)),
    PEOPLE.map(lambda people: MemberDelta.remove(*people)),
    PEOPLE.map(lambda people: MemberDelta.replace(*people)),
)


def applied(members: set[str], delta: MemberDelta) -> set[str]:
    """What the store does with a change."""
    return ((set() if delta.reset else members) - delta.removed) | set(delta.added)


@given(members=st.sets(st.sampled_from("abcde")), steps=st.lists(DELTAS, max_size=5))
def test_a_composition_does_what_its_steps_do(members: set[str], steps: list[MemberDelta]) -> None:
    one_by_one, composed = members, MemberDelta()
    for step in steps:
        one_by_one = applied(one_by_one, step)
        composed = composed.then(step)
    assert applied(members, composed) == one_by_one


@given(people=PEOPLE)
def test_adding_never_takes_anybody_out(people: list[str]) -> None:
    everyone = set("abcde")
    assert applied(everyone, MemberDelta.add(*people)) == everyone


def test_nothing_asked_is_false_and_emptying_is_true() -> None:
    assert not MemberDelta()
    assert MemberDelta.replace()
