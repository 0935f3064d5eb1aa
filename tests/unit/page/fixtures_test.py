# SPDX-License-Identifier: ISC
"""The pages' fixtures are what the API document promises: usage: fixtures_test.py OPENAPI.yaml FIXTURES/"""
import json
import pathlib
import sys

import jsonschema
import yaml


def json_schema(node):
    """OpenAPI 3.0's `nullable` in JSON Schema's words."""
    if isinstance(node, list):
        return [json_schema(value) for value in node]
    if not isinstance(node, dict):
        return node
    node = {key: json_schema(value) for key, value in node.items()}
    if node.pop("nullable", False) and "type" in node:
        node["type"] = [node["type"], "null"]
    return node


def main():
    document, folder = sys.argv[1:]
    components = json_schema(yaml.safe_load(open(document, encoding="utf-8"))["components"])
    paths = sorted(pathlib.Path(folder).glob("*.json"))
    assert paths, f"no fixtures in {folder}"
    for path in paths:
        fixture = json.loads(path.read_text(encoding="utf-8"))
        name = fixture["schema"]
        schema = {"$ref": "#/components/schemas/" + name.removeprefix("array:")}
        if name.startswith("array:"):
            schema = {"type": "array", "items": schema}
        jsonschema.validate(fixture["answer"], {**schema, "components": components}
                            if "$ref" not in schema else
                            {"allOf": [schema], "components": components})
    print(f"{len(paths)} fixtures fit")


main()
