"""The tools' arguments: their schema, said once, and how what a model sends is read."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictStr, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from compshare_images.errors import InvalidArgument
from compshare_images.tools.schema import input_schema
from compshare_images.upstream.cleaning import clean_line
from compshare_images.upstream.request import MAX_LIMIT, SortField

_Model = TypeVar("_Model", bound="Arguments")


def _number(value: object) -> object:
    if isinstance(value, bool) or (isinstance(value, str) and "_" in value):
        raise PydanticCustomError("number_type", "not a number")
    return value


def _boolean(value: object) -> object:
    spelled = value.lower() if isinstance(value, str) else value
    if spelled in ("true", "false") or isinstance(spelled, bool):
        return spelled in ("true", True)
    raise PydanticCustomError("bool_type", "not a boolean")


_MAX_OFFSET = 2**53 - 1  # what JSON can hold everywhere
_Integer = Annotated[int, BeforeValidator(_number)]
_Amount = Annotated[float, Field(ge=0, allow_inf_nan=False), BeforeValidator(_number)]
_Boolean = Annotated[bool, BeforeValidator(_boolean)]
_Short = Annotated[StrictStr, Field(max_length=64)]
_Value = Annotated[StrictStr, Field(max_length=200)]
_Region = Annotated[_Short | None, Field(description="Leave out unless the user names it", examples=["cn-wlcb"])]
_Zone = Annotated[_Short | None, Field(description="Likewise", examples=["cn-wlcb-01"])]
_ProjectId = Annotated[_Short | None, Field(description="Likewise", examples=["org-abc123"])]


class Arguments(BaseModel):
    """Examples are for error messages; they stay out of the published schema."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SearchArguments(Arguments):
    query: _Value | None = Field(
        None,
        description="Purpose or product, 1-5 key words, Chinese or English; -word leaves out. "
        "Cards, memory and 'free' in it only rank",
        examples=["数字人"],
    )
    gpu_type: _Short | None = Field(
        None,
        description="Runs on this card, e.g. 4090, 4090_48G; or on a card of at most this memory, e.g. 8G",
        examples=["4090"],
    )
    max_price: _Amount | None = Field(
        None, description="Author's fee at most, 元/hour on top of GPU rent; 0 = no fee", examples=[0]
    )
    tag: _Value | None = Field(None, description="Whole tag, e.g. 数字人", examples=["数字人"])
    author: _Value | None = Field(None, description="Whole author name", examples=["与AI同行"])
    name: _Value | None = Field(None, description="Name contains", examples=["InfiniteTalk"])
    framework: _Value | None = Field(None, description="e.g. PyTorch; few images state it", examples=["PyTorch"])
    cuda_version: _Short | None = Field(
        None, description="12.4, 12 (any 12.x) or >=12.8; few images state it", examples=["12.4"]
    )
    compshare_image_id: _Value | None = Field(
        None, description="Just this version or group id, or page URL", examples=["compshareImage-1mefk6bv35xn"]
    )
    sort_field: SortField | None = Field(
        None,
        description="Favor = favourites, CreatedCount = deployments. Default: relevance, or PubTime without query",
        examples=["CreatedCount"],
    )
    sort_asc: _Boolean | None = Field(
        None, description="Default: cheapest first for Price, else largest or newest first", examples=["true"]
    )
    offset: _Integer = Field(0, ge=0, le=_MAX_OFFSET, examples=[0])
    limit: _Integer = Field(20, ge=1, le=MAX_LIMIT, examples=[20])
    region: _Region = None
    zone: _Zone = None
    project_id: _ProjectId = None


class DetailArguments(Arguments):
    compshare_image_id: _Value = Field(
        description="Version id, group id (opens its newest version) or page URL",
        examples=["compshareImage-1mefk6bv35xn"],
    )
    readme_offset: _Integer = Field(0, ge=0, le=_MAX_OFFSET, description="In characters", examples=[0])
    readme_limit: _Integer = Field(4000, ge=0, le=20_000, description="In characters; 0 to compare", examples=[4000])
    region: _Region = None
    zone: _Zone = None
    project_id: _ProjectId = None


_MOST_SENTENCES = 3
_MEANT = {
    "gpu": "gpu_type", "gpus": "gpu_type", "card": "gpu_type", "graphics_card": "gpu_type", "vram": "gpu_type",
    "q": "query", "keyword": "query", "keywords": "query", "search": "query", "text": "query", "prompt": "query",
    "id": "compshare_image_id", "image_id": "compshare_image_id", "image": "compshare_image_id",
    "group_id": "compshare_image_id", "url": "compshare_image_id",
    "price": "max_price", "budget": "max_price", "free": "max_price", "tags": "tag", "category": "tag",
    "title": "name", "cuda": "cuda_version", "sort": "sort_field", "sort_by": "sort_field", "order_by": "sort_field",
    "order": "sort_asc", "asc": "sort_asc", "page_size": "limit", "size": "limit", "count": "limit",
    "top_k": "limit", "max_results": "limit", "skip": "offset", "start": "offset", "page": "offset",
    "project": "project_id",
}  # fmt: skip


def read_arguments(model: type[_Model], given: Mapping[str, object]) -> _Model:
    """What a model sent, as typed arguments; null and blank strings are not given.

    Raises:
        InvalidArgument: names each argument that is wrong, what it may be, and an example.
    """
    known = model.model_fields
    sentences = [_unknown(known, name) for name in given if name not in known]
    trimmed = {name: value.strip() if isinstance(value, str) else value for name, value in given.items()}
    stated = {name: value for name, value in trimmed.items() if name in known and value not in (None, "")}
    try:
        arguments = model.model_validate(stated)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False)
        sentences += [_sentence(model, detail) for detail in details]
    else:
        if not sentences:
            return arguments
    raise InvalidArgument(" ".join(list(dict.fromkeys(sentences))[:_MOST_SENTENCES]))


def _sentence(model: type[Arguments], detail: ErrorDetails) -> str:
    name = str(detail["loc"][0])
    schema = input_schema(model)["properties"][name]
    example = (model.model_fields[name].examples or ["…"])[0]
    example = f'e.g. {name}="{example}".' if schema["type"] == "string" else f"e.g. {name}={example}."
    if detail["type"] == "missing":
        return f"{name}: is required, {example}"
    value = detail["input"]
    if detail["type"] == "string_too_long":
        return f"{name}: {len(value)} characters are too many; use at most {schema['maxLength']}."
    if detail["type"] in {"greater_than_equal", "less_than_equal"}:
        return f"{name}: {_shown(value)} is out of range; use {_range(schema)}, {example}"
    return f"{name}: {_shown(value)} is not {_kind(schema)}; use {_range(schema)}, {example}"


def _unknown(known: Iterable[str], name: str) -> str:
    spelled = {field.replace("_", ""): field for field in known}
    plain = name.lower().replace("_", "").replace("-", "")
    meant = _MEANT.get(name.lower().replace("-", "_"))
    if meant not in spelled.values():
        close = get_close_matches(plain, spelled, n=1)
        meant = spelled[close[0]] if close else None
    hint = f" Did you mean {meant}?" if meant else ""
    return f"{clean_line(name, 40) or '(empty)'}: no such argument.{hint} Known: {', '.join(spelled.values())}."


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "one of its values"
    return "an integer" if schema["type"] == "integer" else f"a {schema['type']}"


def _range(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(schema["enum"])
    match schema["type"]:
        case "boolean":
            return "true or false"
        case "string":
            return f"a string of at most {schema['maxLength']} characters"
        case _ if "maximum" in schema:
            return f"{schema['minimum']} to {schema['maximum']}"
        case _:
            return f"{schema['minimum']:g} or more"


def _shown(value: object) -> str:
    match value:
        case list():
            return "a list"
        case dict():
            return "an object"
        case bool():
            return str(value).lower()
        case _:
            return clean_line(str(value), 40) or "unreadable text"
