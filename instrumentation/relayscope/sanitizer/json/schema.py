"""Tells a JSON Schema from a value by its looks: it describes a secret and holds none."""

from typing import Any, Final

SAMPLES: Final = frozenset({"default", "const", "enum", "examples", "example"})
"""Members of a schema that hold values; the others describe them."""

_TYPES: Final = frozenset(
    {"string", "number", "integer", "boolean", "array", "object", "null"}
    # Of Elasticsearch's mappings.
    | {"keyword", "text", "binary", "long", "double", "date", "ip", "flattened", "wildcard"}
)
_MAPPING: Final = frozenset(
    {
        *("analyzer", "search_analyzer", "normalizer", "index", "fields", "ignore_above"),
        *("store", "doc_values", "norms", "index_options", "similarity", "term_vector"),
        *("copy_to", "dynamic"),
    }
)
"""Members of a field in a mapping of Elasticsearch."""

_COMBINING: Final = frozenset({"$ref", "anyOf", "oneOf", "allOf", "enum", "const", "items"})
SCHEMA_WORDS: Final = (
    SAMPLES
    | _COMBINING
    | {
        *("type", "title", "description", "format", "properties", "required"),
        *("additionalProperties", "minLength", "maxLength", "minimum", "maximum", "pattern"),
        *("nullable", "deprecated", "not", "readOnly", "writeOnly", "$schema", "$id"),
        *("$comment", "$defs", "definitions", "if", "then", "minItems", "maxItems"),
        *("uniqueItems", "prefixItems", "contentEncoding", "discriminator", "contentMediaType"),
        *("exclusiveMinimum", "exclusiveMaximum", "multipleOf", "else", "minProperties"),
        *("maxProperties", "patternProperties", "propertyNames", "dependentRequired"),
    }
)
"""The words of JSON Schema 2020-12 that a description of a value uses, and OpenAPI's `nullable`."""


_OPERATIONS: Final = frozenset({"get", "put", "post", "delete", "patch", "head", "options"})


def is_schema(value: object) -> bool:
    """Return whether a value of a sensitive name is a schema.

    Each member of a schema is one of JSON Schema's, or an extension that holds no text. A schema
    gives the type of its value, or refers to other schemas.
    """
    return isinstance(value, dict) and _says_type(value) and all(map(_describes, value.items()))


def _says_type(schema: dict[str, Any]) -> bool:
    types = schema.get("type")
    if types is None:
        return not _COMBINING.isdisjoint(schema) or schema.keys() <= {"title", "description"}
    listed = types if isinstance(types, list) else [types]
    return all(isinstance(each, str) and each in _TYPES for each in listed)


def _describes(member: tuple[str, Any]) -> bool:
    name, value = member
    return (
        name in SCHEMA_WORDS
        or name in _MAPPING
        or name.startswith("x-")
        or value is None
        or isinstance(value, bool)
    )


def is_path_item(value: object) -> bool:
    """Return whether a value tells the operations of a path of an API, as in OpenAPI."""
    return isinstance(value, dict) and not _OPERATIONS.isdisjoint(value)
