"""The request of `DescribeCommunityImages`, every documented parameter of it."""

from dataclasses import dataclass
from typing import Literal

from compshare_images.place import Place

ACTION = "DescribeCommunityImages"
MAX_LIMIT = 100

ARGUMENTS = {
    "Region": "region",
    "Zone": "zone",
    "ProjectId": "project_id",
    "CompShareImageId": "compshare_image_id",
}
"""The request parameters that a call or a setting decides, and what they are called here."""

SortField = Literal["Favor", "PubTime", "Price", "CreatedCount"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeCommunityImages:
    """One request. What is None is not sent, and the service's own default holds.

    `exclude_readme` is on no page of the service; it was observed to cut a list to a third of its bytes.
    """

    place: Place
    compshare_image_id: str | None = None
    name: str | None = None
    author: str | None = None
    tag: str | None = None
    sort_field: SortField | None = None
    sort_asc: bool | None = None
    offset: int | None = None
    limit: int | None = None
    exclude_readme: bool | None = None

    def parameters(self) -> dict[str, object]:
        return {
            "Action": ACTION,
            "Region": self.place.region,
            "Zone": self.place.zone,
            "ProjectId": self.place.project_id,
            "CompShareImageId": self.compshare_image_id,
            "Name": self.name,
            "Author": self.author,
            "Tag": self.tag,
            "SortCondition": {"Field": self.sort_field, "ASC": self.sort_asc},
            "Offset": self.offset,
            "Limit": self.limit,
            "ExcludeReadme": self.exclude_readme,
        }
