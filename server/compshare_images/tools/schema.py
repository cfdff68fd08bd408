"""JSON schemas that every host understands: no `$ref`, no `anyOf` with null, no titles."""

from typing import Any, cast

from pydantic import BaseModel

_NOISE = ("title", "examples")


def input_schema(model: type[BaseModel]) -> dict[str, Any]:
    return _flat(model.model_json_schema(), {})


def output_schema(model: type[BaseModel]) -> dict[str, Any]:
    """As an answer is serialised; open to additions."""
    return _flat(model.model_json_schema(mode="serialization"), {})


def _flat(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    definitions = schema.get("$defs", definitions)
    if "$ref" in schema:
        return _flat(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    if len(options) == 1:
        schema = {**_flat(options[0], definitions), **{key: schema[key] for key in schema if key != "anyOf"}}
    flat: dict[str, Any] = {}
    for key, value in schema.items():
        if key in (*_NOISE, "$defs", "anyOf") or (key == "default" and value is None):
            continue
        if key == "properties":
            flat[key] = {name: _flat(field, definitions) for name, field in value.items()}
        else:
            flat[key] = _flat(cast("dict[str, Any]", value), definitions) if isinstance(value, dict) else value
    return flat
