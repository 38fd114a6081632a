"""YAML of a user's files, in which nothing is said twice.

YAML forbids a mapping to have a key twice (1.2.2, 3.2.1.1), but PyYAML takes the last one: of
two `rules` in a long file, one would be as if it were not there.
"""

from typing import Any

import yaml


def read_yaml(text: str) -> Any:
    """Return what a text says.

    Raises:
        yaml.YAMLError: The text is no YAML, or a mapping in it has a key twice.
    """
    return yaml.load(text, _Loader)  # noqa: S506  # a safe loader


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which refuses a key that its mapping has already."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  # PyYAML's signature
        known: set[tuple[str, str]] = set()
        for key, _ in node.value:
            # A key that is no scalar has no name; that is told by who reads the mapping.
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in known:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{key.value} is there twice", key.start_mark
                    )
                known.add((key.tag, key.value))
        return super().construct_mapping(node, deep=deep)
