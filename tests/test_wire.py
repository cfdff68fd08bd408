"""Answers of the service, in every shape and with every oddity: what is read, what is unknown, what is dropped."""

import json
from dataclasses import asdict, replace
from typing import get_args

import pytest

from compshare_images.sandbox.samples import sample_groups
from compshare_images.sandbox.service import PRIVATE_KEY, PUBLIC_KEY, Sandbox, Shape
from compshare_images.upstream.signing import sign
from compshare_images.upstream.wire import Group, Image, Owner, Page, Software, SoftwarePort, read_page

ID = "compshareImage-1mefk6bv35xn"
OTHER_ID = "compshareImage-0aaaaaaaaaaa"
LISTS = ("CompshareImageGroup", "ImageSetGroup", "ImageSet")

LIVE_EXAMPLE: dict[str, object] = {
    "RetCode": 0,
    "Action": "DescribeCommunityImagesResponse",
    "TotalCount": 775,
    "AvailableTotalCount": 1,
    "CompshareImageGroup": [
        {
            "GroupId": "ykfC7Q7YlzmH",
            "ImageName": "最强AI数字人InfiniteTalk-图片和视频数字人",
            "ImageDesc": "…",
            "CreatedCount": 14333,
            "FavoritesCount": 604,
            "RecommendCount": 95,
            "ImageUseTime": 95877,
            "IsFavorite": False,
            "Status": "Available",
            "Data": [
                {
                    "CompShareImageId": ID,
                    "Name": "最强AI数字人InfiniteTalk-图片和视频数字人",
                    "VersionName": "v26.0201",
                    "Author": "与AI同行",
                    "AuthInfo": 2,
                    "ImageOwnerAlias": "Community",
                    "ImageType": "Community",
                    "Container": "True",
                    "Status": "Available",
                    "Size": 102400,
                    "Visibility": 1,
                    "Tags": ["数字人"],
                    "Price": 0,
                    "ImageCharge": False,
                    "AutoStart": True,
                    "SupportedGpuTypes": ["5090", "4090_48G", "H20"],
                    "SoftwarePorts": [{"Software": "JupyterLab", "Port": 8888}, {"Software": "ComfyUI", "Port": 8188}],
                    "CreateTime": 1769900000,
                    "PubTime": 1769990000,
                }
            ],
        }
    ],
}
LIVE_IMAGE = Image(
    compshare_image_id=ID,
    group_id="ykfC7Q7YlzmH",
    name="最强AI数字人InfiniteTalk-图片和视频数字人",
    version_name="v26.0201",
    author="与AI同行",
    auth_info=2,
    image_owner_alias="Community",
    image_type="Community",
    container=True,
    status="Available",
    visibility=1,
    size=102400,
    tags=("数字人",),
    price=0,
    image_charge=False,
    auto_start=True,
    supported_gpu_types=("5090", "4090_48G", "H20"),
    software_ports=(SoftwarePort(software="JupyterLab", port=8888), SoftwarePort(software="ComfyUI", port=8188)),
    create_time=1769900000,
    pub_time=1769990000,
)

NESTED: dict[str, object] = {"a": {"b": [{"c": None}]}}
JUNK: list[object] = [
    *(None, True, False, 0, -1, 1, 1.5, -0.0, 1e-300, 1e308, 2**53, 2**64, 10**400, float("inf"), float("nan")),
    *("", " ", "text", "12", "-3", "1e400", "nan", "1_0", "0x10", "١٢", "9" * 5000, "a" * 20_000),
    *("\x00", "\ud800", "\x1b[31m\u202e", "<b>"),
    *([], {}, [None], [[]], [{}], [[[[["deep"]]]]], [1, "a", None, {}, True], NESTED, [NESTED], list(range(1000))),
]
VERSION_FIELDS = [
    *("GroupId", "Name", "VersionName", "VersionDesc", "Description", "Author", "AuthInfo", "ImageOwnerAlias"),
    *("ImageType", "IsOfficial", "Container", "Status", "Visibility", "Size", "Tags", "Price", "ImageCharge"),
    *("AutoStart", "Cover", "Readme", "Softwares", "SourceGpuType", "SupportedGpuTypes", "SoftwarePorts"),
    *("FirewallPorts", "CreatedCount", "FavoritesCount", "ImageUseTime", "FailedReason", "Owner", "CreateTime"),
    *("PubTime", "UpdateTime", "QrCodeUrl", "ImageId"),
]
GROUP_FIELDS = [
    *("GroupId", "ImageName", "ImageDesc", "CreatedCount", "FavoritesCount", "RecommendCount", "ImageUseTime"),
    *("IsFavorite", "Status"),
]
UNKNOWN_FIELDS = ["Unknown", "compshare_image_id", "group_id", "name", "images", "flat", "tags", "price", "available"]
INNER_FIELDS = [
    *(("Softwares", name) for name in ("Framework", "FrameworkVersion", "CUDAVersion", "OsVersion", "PythonVersion")),
    ("Softwares", "Applications"),
    *(("Owner", name) for name in ("AccountName", "AccountId")),
    *(("SoftwarePorts", name) for name in ("Software", "Port")),
]


def _read(answer: dict[str, object], readme_of: str | None = None) -> Page:
    page = read_page(answer, readme_of=readme_of)
    assert page is not None
    return page


def _image(**fields: object) -> Image:
    page = _read({"ImageSet": [{"CompShareImageId": ID, **fields}]})
    (group,) = page.groups
    (image,) = group.images
    return image


def _group(**fields: object) -> Group:
    page = _read({"CompshareImageGroup": [{"GroupId": "g", "Data": [{"CompShareImageId": ID}], **fields}]})
    (group,) = page.groups
    return group


def _ids(page: Page) -> list[str]:
    return [image.compshare_image_id for group in page.groups for image in group.images]


def _assert_plain(page: Page) -> None:
    # Infinite numbers and lone surrogates fail here.
    text = json.dumps(asdict(page), ensure_ascii=False, allow_nan=False)
    assert text.encode()
    assert text.isprintable()
    assert "\\u00" not in text


def test_the_live_example_is_read_whole() -> None:
    group = Group(
        group_id="ykfC7Q7YlzmH",
        name="最强AI数字人InfiniteTalk-图片和视频数字人",
        description="…",
        created_count=14333,
        favorites_count=604,
        image_use_time=95877,
        images=(LIVE_IMAGE,),
    )
    assert _read(LIVE_EXAMPLE) == Page(groups=(group,), row_count=1, total_count=775)


def test_the_documented_sample_is_read() -> None:
    answer: dict[str, object] = {
        "Action": "DescribeCommunityImagesResponse",
        "ImageSet": [{"ImageId": "rjroBksO"}],
        "RetCode": 0,
        "TotalCount": 8,
    }
    image = Image(compshare_image_id="rjroBksO", group_id="rjroBksO")
    group = Group(group_id="rjroBksO", images=(image,), flat=True)
    assert _read(answer) == Page(groups=(group,), row_count=1, total_count=8)


@pytest.mark.parametrize("shape", get_args(Shape))
def test_every_shape_holds_the_same_versions(shape: Shape) -> None:
    form = {"Action": "DescribeCommunityImages", "PublicKey": PUBLIC_KEY, "Region": "cn-wlcb", "Limit": "100"}
    form["Signature"] = sign(form, PRIVATE_KEY)
    samples = sample_groups()[:40]
    page = _read(Sandbox(groups=samples, shape=shape).answer(form))
    assert sorted(_ids(page)) == sorted(image["CompShareImageId"] for group in samples for image in group["Data"])
    assert page.dropped == 0


@pytest.mark.parametrize("key", LISTS)
def test_groups_and_lone_versions_are_read_under_every_key(key: str) -> None:
    page = _read({key: [{"GroupId": "g", "Data": [{"CompShareImageId": ID}]}, {"CompShareImageId": OTHER_ID}]})
    assert _ids(page) == [ID, OTHER_ID]
    assert [group.flat for group in page.groups] == [False, True]


@pytest.mark.parametrize("key", LISTS)
@pytest.mark.parametrize("empty", [[], None])
def test_an_empty_list_does_not_hide_another(key: str, empty: object) -> None:
    others = {name: empty for name in LISTS if name != key}
    assert _ids(_read({**others, key: [{"ImageId": ID}]})) == [ID]


@pytest.mark.parametrize("answer", [{"ImageSet": None}, {"CompshareImageGroup": []}, dict.fromkeys(LISTS)], ids=str)
def test_no_rows_are_an_empty_page(answer: dict[str, object]) -> None:
    assert _read(answer) == Page()


def test_a_total_of_zero_needs_no_list() -> None:
    assert _read({"RetCode": 0, "Action": "DescribeCommunityImagesResponse", "TotalCount": 0}) == Page(total_count=0)


@pytest.mark.parametrize("key", LISTS)
@pytest.mark.parametrize("value", [{}, {"ImageId": ID}, "", "rows", 0, 1.5, True, False])
def test_a_list_of_another_type_is_no_page(key: str, value: object) -> None:
    assert read_page({"RetCode": 0, key: value}) is None


def test_rows_are_counted_and_neither_total_is_believed() -> None:
    page = _read({"TotalCount": 0, "AvailableTotalCount": 99, "ImageSet": [{"ImageId": ID}, {"ImageId": OTHER_ID}]})
    assert (page.row_count, page.total_count) == (2, 0)
    assert _ids(page) == [ID, OTHER_ID]


def test_a_total_of_any_value_is_a_count_or_unknown() -> None:
    totals = [_read({"TotalCount": value, "ImageSet": [{"ImageId": ID}]}).total_count for value in JUNK]
    assert all(total is None or total >= 0 for total in totals)
    assert {None, 0, 12} <= set(totals)


def test_rows_without_an_id_are_dropped_and_counted() -> None:
    rows: list[object] = [
        None,
        5,
        "row",
        True,
        [],
        {},
        {"Name": "no id"},
        {"CompShareImageId": None},
        {"Data": []},
        {"Data": None},
    ]
    page = _read({"CompshareImageGroup": [*rows, {"GroupId": "g", "Data": [{"CompShareImageId": ID}]}]})
    assert _ids(page) == [ID]
    assert (page.row_count, page.dropped) == (11, 10)


def test_versions_without_an_id_are_dropped_and_counted() -> None:
    data: list[object] = [None, 5, "row", [], {}, {"Name": "no id"}, {"CompShareImageId": ID}, {"ImageId": ""}]
    page = _read({"CompshareImageGroup": [{"GroupId": "g", "Data": data}]})
    assert _ids(page) == [ID]
    assert (page.row_count, page.dropped) == (1, 7)


@pytest.mark.parametrize(
    "value",
    [None, "", " ", 1.5, True, [], {}, [ID], "a b", "a/b", "../a", "<b>", "号", "-a", ".", "a" * 129, "a\nb", "\x00"],
)
def test_an_id_is_a_plain_word_or_the_row_is_dropped(value: object) -> None:
    page = _read({"ImageSet": [{"CompShareImageId": value}]})
    assert (page.groups, page.dropped) == ((), 1)


@pytest.mark.parametrize("value", [None, "", " "])
def test_an_empty_id_does_not_hide_the_other_spelling(value: object) -> None:
    assert _ids(_read({"ImageSet": [{"CompShareImageId": value, "ImageId": ID}]})) == [ID]


@pytest.mark.parametrize("value", [ID, f" {ID}\n", "9WFDPteiVhX5", "4458094e-a43d-45fe-9b57-de79253befe4", "a"])
def test_every_kind_of_id_is_read(value: str) -> None:
    assert _group(GroupId=value).group_id == value.strip()


@pytest.mark.parametrize("field", [*VERSION_FIELDS, *UNKNOWN_FIELDS])
def test_no_value_of_a_versions_field_costs_more_than_itself(field: str) -> None:
    rows = [{"CompShareImageId": f"image-{number}", field: junk} for number, junk in enumerate(JUNK)]
    page = _read({"CompshareImageGroup": [{"GroupId": "g", "Data": rows}]}, readme_of="image-0")
    assert _ids(page) == [f"image-{number}" for number in range(len(JUNK))]
    assert page.dropped == 0
    _assert_plain(page)


@pytest.mark.parametrize("field", [*VERSION_FIELDS, *UNKNOWN_FIELDS])
def test_no_value_of_a_flat_rows_field_costs_more_than_itself(field: str) -> None:
    rows = [{"CompShareImageId": f"image-{number}", field: junk} for number, junk in enumerate(JUNK)]
    page = _read({"ImageSet": rows})
    assert _ids(page) == [f"image-{number}" for number in range(len(JUNK))]
    assert all(group.flat for group in page.groups)
    _assert_plain(page)


@pytest.mark.parametrize("field", [*GROUP_FIELDS, *UNKNOWN_FIELDS])
def test_no_value_of_a_groups_field_costs_more_than_itself(field: str) -> None:
    rows = [
        {"GroupId": f"g{number}", "Data": [{"CompShareImageId": f"image-{number}"}], field: junk}
        for number, junk in enumerate(JUNK)
    ]
    page = _read({"CompshareImageGroup": rows})
    assert _ids(page) == [f"image-{number}" for number in range(len(JUNK))]
    assert not any(group.flat for group in page.groups)
    _assert_plain(page)


@pytest.mark.parametrize(("field", "inner"), INNER_FIELDS)
@pytest.mark.parametrize("listed", [False, True], ids=["object", "list"])
def test_no_value_of_an_inner_field_costs_the_row(field: str, inner: str, *, listed: bool) -> None:
    objects: list[dict[str, object]] = [{"Framework": "x", "AccountName": "x", "Port": 1, inner: junk} for junk in JUNK]
    rows = [{"ImageId": f"image-{n}", field: [value] if listed else value} for n, value in enumerate(objects)]
    page = _read({"ImageSet": rows})
    assert _ids(page) == [f"image-{number}" for number in range(len(JUNK))]
    _assert_plain(page)


def test_no_value_of_data_costs_the_group_or_its_neighbours() -> None:
    rows = [{"GroupId": f"g{number}", "Data": junk} for number, junk in enumerate(JUNK)]
    page = _read({"ImageSetGroup": [*rows, {"GroupId": "last", "Data": [{"ImageId": ID}]}]})
    assert [group.group_id for group in page.groups] == [*(row["GroupId"] for row in rows), "last"]
    assert _ids(page) == [ID]


def test_a_version_of_nothing_but_nulls_is_unknown_in_all() -> None:
    assert _image(**dict.fromkeys(VERSION_FIELDS)) == Image(compshare_image_id=ID, group_id=ID)


def test_a_group_of_nothing_but_nulls_stands_for_its_version() -> None:
    assert replace(_group(**dict.fromkeys(GROUP_FIELDS)), images=()) == Group(group_id=ID)


def test_versions_bear_the_id_of_their_group() -> None:
    assert [image.group_id for image in _group(Data=[{"ImageId": ID}, {"ImageId": "b", "GroupId": "c"}]).images] == [
        "g",
        "g",
    ]


def test_a_group_of_an_unreadable_id_bears_that_of_its_version() -> None:
    assert _group(GroupId=None, Data=[{"ImageId": ID, "GroupId": "its"}]).group_id == "its"
    assert _group(GroupId=None, Data=[{"ImageId": ID}]).group_id == ID


def test_a_flat_row_makes_a_group_with_its_counters() -> None:
    page = _read({"ImageSet": [{"ImageId": ID, "GroupId": "g", "CreatedCount": 3, "FavoritesCount": "2"}]})
    (group,) = page.groups
    assert (group.group_id, group.created_count, group.favorites_count, group.flat) == ("g", 3, 2, True)


def test_a_groups_versions_keep_their_order() -> None:
    data = [{"ImageId": name, "PubTime": number} for number, name in enumerate("cab", 1)]
    assert [image.compshare_image_id for image in _group(Data=data).images] == ["c", "a", "b"]


TAGS: list[tuple[object, tuple[str, ...]]] = [
    (None, ()),
    ([], ()),
    ("", ()),
    (["数字人"], ("数字人",)),
    ("数字人", ("数字人",)),
    (["语音合成，语音克隆"], ("语音合成", "语音克隆")),
    (["a,b，c", "d"], ("a", "b", "c", "d")),
    ("a , b,", ("a", "b")),
    (["Qwen-Image", "Qwen-image"], ("Qwen-Image",)),
    (["a", None, 5, {}, [], "", "b"], ("a", "b")),
    (["<b>a</b>", "b\u200b"], ("a", "b")),
]


@pytest.mark.parametrize(("value", "tags"), TAGS)
def test_tags_are_read_from_a_list_or_a_string(value: object, tags: tuple[str, ...]) -> None:
    assert _image(Tags=value).tags == tags


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        ("True", True),
        ("False", False),
        (True, True),
        (False, False),
        ("true", True),
        (" FALSE ", False),
        (1, True),
        (0, False),
        ("", None),
        ("yes?", None),
        (None, None),
        (2, None),
        ([True], None),
    ],
)
@pytest.mark.parametrize("field", ["Container", "IsOfficial", "ImageCharge", "AutoStart"])
def test_a_flag_is_read_from_text_or_boolean(field: str, value: object, *, flag: bool | None) -> None:
    name = {"Container": "container", "IsOfficial": "is_official", "ImageCharge": "image_charge"}.get(
        field, "auto_start"
    )
    assert asdict(_image(**{field: value}))[name] is flag


@pytest.mark.parametrize(
    ("value", "count"),
    [(18, 18), ("18", 18), (" 18 ", 18), (18.0, 18), (0, 0), ("0", 0), (-1, None), ("many", None), (True, None)],
)
def test_a_counter_is_read_from_a_number_or_its_digits(value: object, count: int | None) -> None:
    group = _group(CreatedCount=value, FavoritesCount=value, ImageUseTime=value)
    assert (group.created_count, group.favorites_count, group.image_use_time) == (count, count, count)
    image = _image(CreatedCount=value, FavoritesCount=value, ImageUseTime=value)
    assert (image.created_count, image.favorites_count, image.image_use_time) == (count, count, count)


@pytest.mark.parametrize(
    ("value", "moment"),
    [(1769990000, 1769990000), ("1769990000", 1769990000), (0, None), ("", None), (-1, None), (10**15, None)],
)
def test_a_time_is_in_unix_seconds(value: object, moment: int | None) -> None:
    image = _image(CreateTime=value, PubTime=value)
    assert (image.create_time, image.pub_time) == (moment, moment)


@pytest.mark.parametrize(
    ("value", "price"),
    [
        (0, 0),
        (0.5, 0.5),
        ("0.5", 0.5),
        ("0", 0),
        (3, 3),
        (None, None),
        ("", None),
        (-1, None),
        ("free", None),
        (True, None),
    ],
)
def test_a_price_is_stated_or_unknown_and_never_assumed(value: object, price: float | None) -> None:
    assert _image(Price=value).price == price


@pytest.mark.parametrize(("value", "size"), [(102400, 102400), ("61440", 61440), (0, None), (-5, None), ("big", None)])
def test_a_size_is_positive_or_unknown(value: object, size: int | None) -> None:
    assert _image(Size=value).size == size


@pytest.mark.parametrize("value", ["", "   ", "\u200b", "<b></b>", None])
def test_an_empty_author_is_unknown(value: object) -> None:
    assert _image(Author=value).author is None


def test_cards_keep_their_order_without_duplicates() -> None:
    cards = _image(SupportedGpuTypes=["5090", "4090_48G", "5090", None, "4090", "4090_48G"]).supported_gpu_types
    assert cards == ("5090", "4090_48G", "4090")


def test_softwares_are_read_from_an_object_or_a_list() -> None:
    stated: dict[str, object] = {
        "Framework": "PyTorch",
        "FrameworkVersion": "2.8.0",
        "CUDAVersion": "12.8",
        "OsVersion": "Ubuntu 22.04",
        "PythonVersion": 3.12,
        "Applications": ["ComfyUI", "ComfyUI-Manager"],
    }
    software = Software(
        framework="PyTorch",
        framework_version="2.8.0",
        cuda_version="12.8",
        os_version="Ubuntu 22.04",
        python_version="3.12",
        applications=("ComfyUI", "ComfyUI-Manager"),
    )
    assert _image(Softwares=stated).softwares == (software,)
    assert _image(Softwares=[stated, None, 5, {"CUDAVersion": "11.8"}]).softwares == (
        software,
        Software(cuda_version="11.8"),
    )


@pytest.mark.parametrize("value", [None, [], "PyTorch", 5, [None]])
def test_software_that_cannot_be_read_is_unknown(value: object) -> None:
    assert _image(Softwares=value).softwares == ()


@pytest.mark.parametrize("account_id", ["66012345", 66012345])
def test_an_owner_is_read_from_an_object_or_a_list(account_id: object) -> None:
    stated = {"AccountName": "与AI同行", "AccountId": account_id}
    owner = Owner(account_name="与AI同行", account_id="66012345")
    assert [_image(Owner=value).owner for value in (stated, [stated], [None, stated])] == [owner] * 3


@pytest.mark.parametrize("value", [None, [], "somebody", 5, [None]])
def test_an_owner_that_cannot_be_read_is_unknown(value: object) -> None:
    assert _image(Owner=value).owner is None


def test_ports_are_read_one_by_one() -> None:
    listed = [{"Software": "WebUI", "Port": "7860"}, {"Port": 9000}, {"Software": "none"}, {"Port": 70000}, None, 8188]
    image = _image(SoftwarePorts=listed, FirewallPorts=[22, "8188", 22, 0, -1, 65536, None, "ssh"])
    assert image.software_ports == (SoftwarePort(software="WebUI", port=7860), SoftwarePort(port=9000))
    assert image.firewall_ports == (22, 8188)


@pytest.mark.parametrize(
    ("value", "cover"),
    [
        ("https://covers.example/a.jpg?b=1&c=2", "https://covers.example/a.jpg?b=1&c=2"),
        (" https://covers.example/a.jpg ", "https://covers.example/a.jpg"),
        ("http://covers.example/a.jpg", None),
        ("//covers.example/a.jpg", None),
        ("javascript:alert(1)", None),
        ("data:image/png;base64,AAAA", None),
        ("https://covers.example/a b.jpg", None),
        ('https://covers.example/"onerror="x', None),
        ("https://covers.example/\u202ea.jpg", None),
        ("https://" + "a" * 3000, None),
        ("", None),
        (5, None),
    ],
)
def test_a_cover_is_a_plain_https_address(value: object, cover: str | None) -> None:
    assert _image(Cover=value).cover == cover


@pytest.mark.parametrize("value", ["Available", None])
def test_a_version_of_no_status_counts_as_available(value: object) -> None:
    assert _image(Status=value).available


@pytest.mark.parametrize("value", ["Making", "UnAvailable", "Reviewing", "Offline", "Brand-new"])
def test_a_version_of_another_status_is_not_available_and_keeps_it(value: str) -> None:
    image = _image(Status=value)
    assert not image.available
    assert image.status == value


def test_only_the_readme_that_was_asked_for_is_read_and_cleaned() -> None:
    rows = [{"ImageId": OTHER_ID, "Readme": "other"}, {"ImageId": ID, "Readme": "# A\n<script>x</script><b>好</b>"}]
    assert _read({"ImageSet": rows}, readme_of=ID).readme == "# A\n好"
    assert _read({"ImageSet": rows}).readme is None


def test_a_readme_that_is_no_text_is_none() -> None:
    values = [junk for junk in JUNK if not isinstance(junk, str)]
    readmes = [_read({"ImageSet": [{"ImageId": ID, "Readme": value}]}, readme_of=ID).readme for value in values]
    assert set(readmes) == {None}


@pytest.mark.parametrize(
    "field", ["Name", "VersionName", "VersionDesc", "Description", "Author", "FailedReason", "SourceGpuType", "Status"]
)
def test_a_text_is_one_clean_bounded_line(field: str) -> None:
    image = _image(**{field: "<b>one</b>\r\n\x1b[31mtwo\u202e\u200b " + "x" * 50_000})
    (text,) = {value for value in asdict(image).values() if isinstance(value, str)} - {ID}
    assert text.startswith("one two xxx")
    assert text.isprintable()
    assert len(text) <= 1000


def test_lists_are_bounded() -> None:
    many = [f"n{number}" for number in range(1000)]
    image = _image(
        Tags=many,
        SupportedGpuTypes=",".join(many),
        FirewallPorts=list(range(1, 60_000)),
        SoftwarePorts=[{"Port": number} for number in range(1, 10_000)],
        Softwares=[{"Framework": name, "Applications": many} for name in many[:101]],
    )
    lengths = [len(image.tags), len(image.supported_gpu_types), len(image.firewall_ports), len(image.software_ports)]
    assert max(*lengths, len(image.softwares), len(image.softwares[0].applications)) <= 100
    assert min(lengths) > 0


def test_reading_leaves_the_answer_as_it_was() -> None:
    before = json.dumps(LIVE_EXAMPLE)
    _read(LIVE_EXAMPLE, readme_of=ID)
    assert json.dumps(LIVE_EXAMPLE) == before
