# SPDX-License-Identifier: ISC
"""Holds answers to the schemas of src/api/openapi.yaml."""
import functools
import pathlib

import jsonschema
import yaml

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "src/api/openapi.yaml"


def _plain(schema):
    """OpenAPI 3.0's `nullable` as JSON Schema says it, and references within the document."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _plain(value) for key, value in schema.items() if key != "nullable"}
    if schema.get("nullable") is True and "type" in plain:
        plain["type"] = [plain["type"], "null"]
    return plain


@functools.lru_cache(maxsize=None)
def document():
    return _plain(yaml.safe_load(DOCUMENT.read_text()))


def check(answer, name):
    """`answer` is what #/components/schemas/`name` describes; "[Landing]" is a list of them."""
    reference = {"$ref": f"#/components/schemas/{name.strip('[]')}"}
    schema = {"type": "array", "items": reference} if name.startswith("[") else reference
    jsonschema.validate(answer, {**schema, "components": document()["components"]}
                        if "items" in schema else {"allOf": [schema], "components": document()["components"]})
