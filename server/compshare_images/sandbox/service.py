"""The action `DescribeCommunityImages`, answered here.

It checks signatures, and answers in each shape that the service documents or was seen to use. As observed of the live
one, it ignores tags and sorting unless told to honour them.
"""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from compshare_images.sandbox.samples import Row, sample_groups
from compshare_images.upstream.request import ACTION, MAX_LIMIT
from compshare_images.upstream.signing import sign

PUBLIC_KEY = "sandbox@compshare.example"
PRIVATE_KEY = "not-a-secret-the-sandbox-is-local"

Shape = Literal["live", "documented", "sibling"]

_ZONES = {"cn-wlcb": {"", "cn-wlcb-01"}, "cn-sh2": {"", "cn-sh2-02"}}
_DEFAULT_LIMIT = 20
_NULLABLE = ("Tags", "Softwares", "SupportedGpuTypes", "SoftwarePorts", "FirewallPorts", "Owner")


class _Refusal(Exception):
    def __init__(self, ret_code: int, message: str) -> None:
        super().__init__(message)
        self.ret_code = ret_code
        self.message = message


@dataclass(kw_only=True)
class Sandbox:
    """`shape` is that of answers. `siblings` says whether an id query also brings the other versions of its group."""

    groups: list[Row] = field(default_factory=sample_groups)
    shape: Shape = "live"
    honours_tag: bool = False
    honours_sort: bool = False
    siblings: bool = False

    def answer(self, form: Mapping[str, str]) -> Row:
        """Answer one request, given as its decoded form."""
        try:
            self._check(form)
            return {"RetCode": 0, "Action": f"{ACTION}Response", **self._listing(form)}
        except _Refusal as refusal:
            return {"RetCode": refusal.ret_code, "Action": f"{ACTION}Response", "Message": refusal.message}

    def _check(self, form: Mapping[str, str]) -> None:
        if form.get("Action") != ACTION:
            raise _Refusal(160, "Missing params [Action]")
        if form.get("PublicKey") != PUBLIC_KEY:
            raise _Refusal(172, "User not found")
        signed = {name: value for name, value in form.items() if name != "Signature"}
        if form.get("Signature") != sign(signed, PRIVATE_KEY):
            raise _Refusal(171, "Signature VerifyAC Error")
        if "Region" not in form:
            raise _Refusal(220, "Missing params [Region]")
        if form["Region"] not in _ZONES:
            raise _Refusal(230, "Params [Region] not available")
        if form.get("Zone", "") not in _ZONES[form["Region"]]:
            raise _Refusal(230, "Params [Zone] not available")
        for name in ("Offset", "Limit"):
            if not form.get(name, "0").isdecimal() or (name == "Limit" and int(form.get(name, "0")) > MAX_LIMIT):
                raise _Refusal(230, f"Params [{name}] not available")

    def _listing(self, form: Mapping[str, str]) -> Row:
        image_id = form.get("CompShareImageId")
        with_readme = form.get("ExcludeReadme") != "true" if self.shape == "live" else image_id is not None
        groups = [_copy(group, with_readme=with_readme) for group in self._held(form["Region"])]
        if image_id:
            groups = self._by_id(groups, image_id)
        groups = [group for group in groups if self._passes(group, form)]
        rows = self._ordered(groups, form)
        if self.shape == "documented":
            rows = [_flat(group, image) for group in rows for image in group["Data"]]
        start, limit = int(form.get("Offset", "0")), int(form.get("Limit", "0")) or _DEFAULT_LIMIT
        page = rows[start : start + limit]
        match self.shape:
            case "live":
                _put_nulls(page)
                return {"TotalCount": len(rows), "AvailableTotalCount": len(page), "CompshareImageGroup": page}
            case "documented":
                return {"TotalCount": len(rows), "ImageSet": page}
            case "sibling":
                return {"TotalCount": len(rows), "ImageSetGroup": page}

    def _held(self, region: str) -> list[Row]:
        return self.groups if region == "cn-wlcb" else self.groups[::3]

    def _by_id(self, groups: Iterable[Row], image_id: str) -> list[Row]:
        for group in groups:
            matches = [image for image in group["Data"] if image["CompShareImageId"] == image_id]
            if matches:
                return [group if self.siblings else {**group, "Data": matches}]
        if self.shape == "sibling":
            return []
        raise _Refusal(8039, f"Resource not exist [{image_id}]")

    def _passes(self, group: Row, form: Mapping[str, str]) -> bool:
        name, author, tag = form.get("Name", ""), form.get("Author"), form.get("Tag") if self.honours_tag else None
        return name in group["ImageName"] and any(
            author in (None, image.get("Author")) and (tag is None or tag in image.get("Tags", ()))
            for image in group["Data"]
        )

    def _ordered(self, groups: list[Row], form: Mapping[str, str]) -> list[Row]:
        by = form.get("SortCondition.Field", "PubTime") if self.honours_sort else "RecommendCount"
        by = "FavoritesCount" if by == "Favor" else by
        ascending = self.honours_sort and form.get("SortCondition.ASC") == "true"
        return sorted(groups, key=lambda group: _sort_value(group, by), reverse=not ascending)


def _copy(group: Row, *, with_readme: bool) -> Row:
    fresh = copy.deepcopy(group)
    if not with_readme:
        for image in fresh["Data"]:
            image.pop("Readme", None)
    return fresh


def _flat(group: Row, image: Row) -> Row:
    counters = {name: group[name] for name in ("CreatedCount", "FavoritesCount", "ImageUseTime") if name in group}
    return {**image, **counters, "GroupId": group["GroupId"], "Description": group.get("ImageDesc", "")}


def _put_nulls(groups: Iterable[Row]) -> None:
    """The live service writes null where there is nothing to list."""
    for group in groups:
        for image in group["Data"]:
            for name in _NULLABLE:
                image.setdefault(name, None)


def _sort_value(group: Row, by: str) -> float:
    newest: Row = group["Data"][0] if group["Data"] else {}
    return float(group.get(by, newest.get(by, 0)))
