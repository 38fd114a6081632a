"""Runs a program with an OpenTelemetry API and SDK in which one name is called otherwise.

usage: renamed_sdk.py NAME PROGRAM
"""

import re
import runpy
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType


class _Renaming(SourceFileLoader):
    """Loads a module as a later release might have it."""

    name_to_change = ""

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the module's code; as it is installed where the name does not occur."""
        source = self.get_source(fullname) or ""
        name = self.name_to_change
        if re.search(rf"\b{name}\b", source) is None:
            return super().get_code(fullname)
        renamed = re.sub(rf"\b{name}\b", f"{name}_of_a_later_release", source)
        return compile(renamed, self.path, "exec")


class _Finder(MetaPathFinder):
    """Finds OpenTelemetry's API and SDK."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module is, to be loaded with the other name."""
        if not fullname.startswith("opentelemetry.") or "instrumentation" in fullname:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Renaming(fullname, spec.loader.path)
        return spec


if __name__ == "__main__":
    _, _Renaming.name_to_change, program = sys.argv
    sys.meta_path.insert(0, _Finder())
    runpy.run_path(program, run_name="__main__")
