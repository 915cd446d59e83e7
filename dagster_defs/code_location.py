"""What belongs to this code location: an instance is shared with others, whose jobs and assets may have the same names.

Dagster binds what a sensor asks for to the sensor's code location, but not what code asks the instance about.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg
from dagster._core.remote_origin import RemoteRepositoryOrigin
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG

_PAGE = 50
"""Records that are read at once where the newest is another location's."""


@dataclass(frozen=True, slots=True)
class CodeLocation:
    """A code location, and what it did in an instance."""

    instance: dg.DagsterInstance
    label: str | None
    """`repository@location`, as Dagster tags runs; None within a process that no code location began."""

    @classmethod
    def of_sensor(cls, context: dg.SensorEvaluationContext) -> "CodeLocation":
        """Return the code location that a sensor is evaluated in."""
        origin, repository = context.code_location_origin, context.repository_name
        label = RemoteRepositoryOrigin(origin, repository).get_label() if origin and repository else None
        return cls(context.instance, label)

    @classmethod
    def of_run(cls, instance: dg.DagsterInstance, run: dg.DagsterRun) -> "CodeLocation":
        """Return the code location of a run."""
        return cls(instance, _label(run))

    def runs(
        self,
        *,
        job: str | None = None,
        statuses: Collection[dg.DagsterRunStatus] = (),
        tags: Mapping[str, str] | None = None,
        limit: int | None = None,
    ) -> list[dg.RunRecord]:
        """Return runs of this code location, the newest first."""
        bound = {REPOSITORY_LABEL_TAG: self.label} if self.label else {}
        chosen = dg.RunsFilter(job_name=job, statuses=list(statuses), tags={**(tags or {}), **bound})
        records = self.instance.get_run_records(chosen, limit=limit if self.label else None)
        return [record for record in records if _label(record.dagster_run) == self.label][:limit]

    def run_ids(self, among: Collection[str]) -> set[str]:
        """Return which of some run ids are of this code location; events without a run are of none."""
        if not among:
            return set()
        records = self.instance.get_run_records(dg.RunsFilter(run_ids=list(among)))
        labels = {record.dagster_run.run_id: _label(record.dagster_run) for record in records}
        return {run_id for run_id in among if labels.get(run_id) == self.label}

    def latest_materialization(self, asset: dg.AssetKey) -> dg.EventLogEntry | None:
        """Return the newest materialization of an asset by a run of this code location."""
        newest = self.instance.get_latest_materialization_event(asset)
        if newest is None or self.run_ids([newest.run_id]):
            return newest
        return next((event for page in self._materializations(asset) for event in self._of_this_location(page)), None)

    def latest_checks(self, checks: Sequence[dg.AssetCheckKey]) -> dict[dg.AssetCheckKey, AssetCheckExecutionRecord]:
        """Return of each check that a run of this code location has evaluated the newest record, in the given order."""
        newest = self.instance.event_log_storage.get_latest_asset_check_execution_by_key(checks)
        own = self.run_ids({record.run_id for record in newest.values()})
        found = {
            key: newest[key] if newest[key].run_id in own else self._latest_check(key)
            for key in checks
            if key in newest
        }
        return {key: record for key, record in found.items() if record}

    def _latest_check(self, check: dg.AssetCheckKey) -> AssetCheckExecutionRecord | None:
        cursor: int | None = None
        while page := self.instance.event_log_storage.get_asset_check_execution_history(check, _PAGE, cursor):
            own = self.run_ids({record.run_id for record in page})
            if record := next((record for record in page if record.run_id in own), None):
                return record
            cursor = page[-1].id
        return None

    def _materializations(self, asset: dg.AssetKey) -> Iterator[Sequence[dg.EventLogEntry]]:
        cursor, has_more = None, True
        while has_more:
            found = self.instance.fetch_materializations(asset, limit=_PAGE, cursor=cursor)
            yield [record.event_log_entry for record in found.records]
            cursor, has_more = found.cursor, found.has_more

    def _of_this_location(self, events: Sequence[dg.EventLogEntry]) -> list[dg.EventLogEntry]:
        own = self.run_ids({event.run_id for event in events})
        return [event for event in events if event.run_id in own]


def _label(run: dg.DagsterRun) -> str | None:
    return run.remote_job_origin.repository_origin.get_label() if run.remote_job_origin else None
