"""The tests behind the controls that a report speaks of: each a sentence that must hold. Pure.

Which framework's control rests on which test is in the reports' control matrix.
"""

TESTS: dict[str, str] = {
    "leavers_lose_access_in_time": "Access of every leaver ended within the agreed time of being asked for",
    "nobody_holds_access_after_leaving": "No access is left with accounts that are inactive or removed",
    "refused_deactivations_are_repaired": "No account is active whose deactivation was asked for and refused",
    "movers_give_up_old_teams": "People who changed job do not keep the teams of the old one for over a week",
    "accounts_come_from_the_identity_provider": "Every active account is managed by the identity provider",
    "dormant_accounts_are_disabled": "No active account has been without any change or use for 90 days",
    "privileged_access_is_justified": "Every privileged role says why it was granted",
    "privileged_access_is_granted_by_others": "Nobody gave themselves a privileged role, also not by a team",
    "access_is_reviewed_each_quarter": "An access review of the whole organization closed within the last 92 days",
    "reviews_are_complete": "Every access of a closed review was decided",
    "reviewers_are_independent": "Nobody decided on their own access",
    "reviews_are_not_rubber_stamps": "No reviewer kept many accesses one after the other at a glance",
    "revoked_access_is_gone": "Every access revoked by a review is gone within a week of its closing",
    "tokens_are_current": "No provisioning token is live past its expiry, or unused for 90 days",
    "exceptions_are_current": "Every exception was approved by another person, and renewed or ended in time",
    "event_log_is_whole": "The event log has no gap, and every hash computed again continues the chain",
}
"""Test → what it asserts."""
