"""Names that say something about the values beside or below them, in JSON and in values alike."""

from typing import Final

SAMPLES: Final = frozenset({"default", "const", "enum", "examples", "example"})
"""What holds values in a JSON Schema; the rest of it describes them."""

NAMING: Final = frozenset({"name", "key"})
"""Members that hold the name of what their sibling `value` holds."""

VALUE: Final = "value"

SCHEMA_WORDS: Final = frozenset(
    {"type", "title", "description", "default", "enum", "const", "format", "examples", "$ref"}
    | {"anyOf", "oneOf", "allOf", "minLength", "maxLength", "pattern", "items", "properties"}
    | {"additionalProperties", "readOnly", "writeOnly", "$schema"}
)
"""What a JSON Schema starts with."""
