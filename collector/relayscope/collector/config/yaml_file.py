"""A YAML file of the user: settings, or rules of the sanitizer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from relayscope.collector.errors import StartError
from relayscope.conventions.yaml_text import read_yaml

if TYPE_CHECKING:
    from pathlib import Path


def read_yaml_file(path: Path) -> Any:
    """Return what the file says.

    Raises:
        StartError: the file cannot be read, or is no YAML, or has a key twice; names it, and the
            line.
    """
    try:
        return read_yaml(path.read_text(encoding="utf-8"))
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
