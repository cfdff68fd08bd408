"""What a search finds."""

from dataclasses import dataclass

from compshare_images.upstream.wire import Group, Image


@dataclass(frozen=True)
class Entry:
    """A version, shown for its group."""

    group: Group
    image: Image

    @property
    def name(self) -> str:
        return self.group.name or self.image.name or self.image.compshare_image_id

    @property
    def description(self) -> str | None:
        return self.group.description or self.image.description

    @property
    def version_count(self) -> int:
        return len(self.group.available)
