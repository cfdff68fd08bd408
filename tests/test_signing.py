"""The request signature against every published vector, and the strings that are signed and sent."""

import pytest

from compshare_images.place import Place
from compshare_images.upstream.request import DescribeCommunityImages
from compshare_images.upstream.signing import encode, sign

PUBLIC = "ucloudsomeone@example.com1296235120854146120"
PRIVATE = "46f09bb9fab4f12dfc160dae12273d5332b5debe"
IMAGE_ID = "compshareImage-1pl06yxr5lvm"
LISTING = {"Action": "DescribeCommunityImages", "Region": "cn-wlcb"}

CREATE_HOST: dict[str, object] = {
    "Action": "CreateUHostInstance",
    "CPU": 2,
    "ChargeType": "Month",
    "DiskSpace": 10,
    "ImageId": "f43736e1-65a5-4bea-ad2e-8a46e18883c2",
    "LoginMode": "Password",
    "Memory": 2048,
    "Name": "Host01",
    "Password": "VUNsb3VkLmNu",
    "Quantity": 1,
    "Region": "cn-bj2",
    "Zone": "cn-bj2-04",
}
SORTED_LIST: dict[str, object] = {
    **LISTING,
    "Zone": "cn-wlcb-01",
    "Limit": 100,
    "Offset": 0,
    "SortCondition": {"Field": "Favor", "ASC": False},
}
FILTERED_LIST: dict[str, object] = {
    **LISTING,
    "FuzzySearch": "数字人",
    "Tag": ["视频生成", "数字人"],
    "IsFree": True,
    "ExcludeReadme": True,
    "MaxPrice": 42.0,
    "MinPrice": 0.5,
}
VECTORS: list[tuple[dict[str, object], str]] = [
    ({"Action": "DescribeUHostInstance", "Region": "cn-bj2", "Limit": 10}, "cba5cf5ec4d4233d206b1b54951e3787350a642f"),
    (CREATE_HOST, "4f9ef5df2abab2c6fccd1e9515cb7e2df8c6bb65"),
    (
        {"Action": "AllocateBackendBatch", "Backends": ["foo", "bar", 42] * 4},
        "6bc32642779f8cb0bb3d3f128b1c0688abf9a1a3",
    ),
    (SORTED_LIST, "bd3b026f0790be9418279185f1499857c7e27032"),
    (FILTERED_LIST, "ac78963b1815945af3d01bd9bec16f3836a9b9aa"),
    ({**LISTING, "CompShareImageId": IMAGE_ID}, "4845af508141b8e2ffa76cc13e4339716e965599"),
    ({**LISTING, "Limit": 20}, "7d74bb1cd6929f46c005cf503453e3080074adf1"),
]
HERE = Place()
REGION = Place(zone=None)
REQUESTS = [
    (
        DescribeCommunityImages(place=HERE, limit=100, offset=0, sort_field="Favor", sort_asc=False),
        "bd3b026f0790be9418279185f1499857c7e27032",
    ),
    (
        DescribeCommunityImages(place=REGION, compshare_image_id=IMAGE_ID),
        "4845af508141b8e2ffa76cc13e4339716e965599",
    ),
    (DescribeCommunityImages(place=REGION, limit=20), "7d74bb1cd6929f46c005cf503453e3080074adf1"),
]


@pytest.mark.parametrize(("parameters", "signature"), VECTORS)
def test_a_signature_equals_the_published_one(parameters: dict[str, object], signature: str) -> None:
    assert sign(encode({**parameters, "PublicKey": PUBLIC}), PRIVATE) == signature


@pytest.mark.parametrize(
    ("parameters", "signature"),
    [
        ({"foo": "bar"}, "634edc1bb957c0d65e5ab5494cf3b7784fbc87af"),
        ({"foo": "bar", "PublicKey": "my_public_key"}, "d4411ab30953fb0bbcb1e7313081f05e4e91a394"),
    ],
)
def test_a_signature_covers_just_what_is_given(parameters: dict[str, str], signature: str) -> None:
    assert sign(parameters, "my_private_key") == signature


@pytest.mark.parametrize(("request_", "signature"), REQUESTS)
def test_a_request_is_signed_as_the_vendor_signs_it(request_: DescribeCommunityImages, signature: str) -> None:
    assert sign(encode({**request_.parameters(), "PublicKey": PUBLIC}), PRIVATE) == signature


def test_the_order_of_parameters_makes_no_difference() -> None:
    forwards = encode({**SORTED_LIST, "PublicKey": PUBLIC})
    backwards = dict(reversed(forwards.items()))
    assert list(backwards) != list(forwards)
    assert sign(backwards, PRIVATE) == "bd3b026f0790be9418279185f1499857c7e27032"


def test_dotted_numbers_are_sorted_as_text() -> None:
    names = [f"Backends.{number}" for number in range(11)]
    joined = "".join(sorted(names))
    assert joined.index("Backends.10") < joined.index("Backends.2")
    assert sign(dict.fromkeys(names, ""), "") == sign({joined: ""}, "")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-7, "-7"),
        (10**20, "100000000000000000000"),
        (42.0, "42"),
        (0.5, "0.5"),
        (100.0, "100"),
        (1e-07, "0.0000001"),
        (1.5e-10, "0.00000000015"),
        (1e22, "10000000000000000000000"),
        (0.1, "0.1"),
        (0.0, "0"),
        ("", ""),
        ("a b+c&d=e", "a b+c&d=e"),
        ("True", "True"),
        ("数字人", "数字人"),
    ],
)
def test_a_value_becomes_the_one_string_that_the_service_expects(value: object, text: str) -> None:
    assert encode({"Key": value}) == {"Key": text}


@pytest.mark.parametrize("value", [None, {}, [], (), {"Inner": None}, [None], {"Inner": [{"Deeper": None}]}])
def test_what_is_not_given_is_left_out(value: object) -> None:
    assert encode({"Before": 1, "Key": value, "After": 2}) == {"Before": "1", "After": "2"}


def test_nested_values_become_dotted_keys() -> None:
    nested = {"SortCondition": {"Field": "Favor", "ASC": True}, "Tag": ("a", "b"), "Disk": [{"Size": 1.0}, {"Size": 2}]}
    assert encode(nested) == {
        "SortCondition.Field": "Favor",
        "SortCondition.ASC": "true",
        "Tag.0": "a",
        "Tag.1": "b",
        "Disk.0.Size": "1",
        "Disk.1.Size": "2",
    }


@pytest.mark.parametrize("value", [b"bytes", object(), {1, 2}, 1j])
def test_a_value_without_a_form_is_refused_by_its_type(value: object) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        encode({"Key": [value]})


def test_a_request_sends_only_what_is_asked_for() -> None:
    request = DescribeCommunityImages(place=Place("cn-sh2", None, None), offset=0, exclude_readme=True)
    assert encode(request.parameters()) == {
        "Action": "DescribeCommunityImages",
        "Region": "cn-sh2",
        "Offset": "0",
        "ExcludeReadme": "true",
    }


def test_every_documented_parameter_can_be_sent() -> None:
    request = DescribeCommunityImages(
        place=Place("r", "z", "p"),
        compshare_image_id=IMAGE_ID,
        name="n",
        author="a",
        tag="t",
        sort_field="Price",
        sort_asc=True,
        offset=1,
        limit=2,
    )
    documented = "Action Region Zone ProjectId CompShareImageId Name Author Offset Limit Tag"
    assert set(encode(request.parameters())) == {*documented.split(), "SortCondition.Field", "SortCondition.ASC"}
