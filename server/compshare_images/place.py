"""Where the service is asked to look."""

from typing import NamedTuple

DEFAULT_REGION = "cn-wlcb"
DEFAULT_ZONE = "cn-wlcb-01"


class Place(NamedTuple):
    region: str = DEFAULT_REGION
    zone: str | None = DEFAULT_ZONE
    project_id: str | None = None

    def elsewhere(self, *, region: str | None, zone: str | None, project_id: str | None) -> "Place":
        """The place that a call names, this one filling in what it leaves out.

        A zone belongs to its region, so another region without a zone is sent without one (`230 Params [Zone] not
        available` otherwise).
        """
        moved = region is not None and region != self.region
        return Place(
            region=region or self.region,
            zone=zone or (None if moved else self.zone),
            project_id=project_id or self.project_id,
        )
