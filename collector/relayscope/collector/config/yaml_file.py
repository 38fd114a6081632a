"""A YAML file of the user, in which nothing is said twice.

YAML forbids a mapping to have a key twice (1.2.2, 3.2.1.1), but PyYAML takes the last one: of
two `keep_logs` in a long file, one would be as if it were not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from relayscope.collector.errors import StartError

if TYPE_CHECKING:
    from pathlib import Path


def read_yaml(path: Path) -> Any:
    """Return what the file says.

    Raises:
        StartError: the file cannot be read, or is not such YAML; names it, and the line.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  # a safe loader
    except FileNotFoundError:
        raise StartError(f"{path}: there is no such file") from None
    except OSError as error:
        raise StartError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise StartError(f"{path}: is not UTF-8 text") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "is not YAML"
        raise StartError(f"{path}{line}: {problem}") from None


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which refuses a key that its mapping has already."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  # PyYAML's signature
        known: set[tuple[str, str]] = set()
        for key, _ in node.value:
            # A key that is no scalar is no setting's name; that is told by who reads the mapping.
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in known:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{key.value} is there twice", key.start_mark
                    )
                known.add((key.tag, key.value))
        return super().construct_mapping(node, deep=deep)
