"""Prints recall by format, false alarms by kind, each failure, and what patterns are tried on."""

from collections import defaultdict
from collections.abc import Iterable

from relayscope.sanitizer import Sanitizer
from tests.sanitizer.corpus.filtering import firing
from tests.sanitizer.corpus.judging import Verdict, harmless, judged, secrets
from tests.sanitizer.corpus.texts import known


def main() -> None:
    """Sanitize the corpus and print what became of it."""
    sanitizer = Sanitizer.default()
    _table("secrets, by format", "found", judged(sanitizer, secrets()))
    _table("harmless texts, by kind", "left alone", judged(sanitizer, harmless()))
    _filter()


def _table(title: str, right: str, verdicts: Iterable[Verdict]) -> None:
    reasons = known()
    by_kind: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        by_kind[verdict.example.kind].append(verdict)
    total = [verdict for kind in by_kind.values() for verdict in kind]
    for verdict in total:
        if not verdict.right:
            listed = "" if verdict.example.id in reasons else " (not in known.txt)"
            print(f"{verdict.example.id}{listed}\n    {verdict.shown}")
        elif verdict.example.id in reasons:
            print(f"{verdict.example.id}: mended, take it out of known.txt")
    print(f"\n{title:44}{'texts':>8}{right:>12}{'':>8}")
    for kind, some in [*by_kind.items(), ("all", total)]:
        good = sum(verdict.right for verdict in some)
        print(f"{kind:44}{len(some):8}{good:12}{good / len(some):8.1%}")
    print()


def _filter() -> None:
    counts = firing()
    print(f"{'texts let through to a pattern':44}" + "".join(f"{kind:>12}" for kind in counts))
    names = ["texts", *sorted(set().union(*counts.values()) - {"texts"})]
    for name in names:
        print(f"{name:44}" + "".join(f"{some[name]:12}" for some in counts.values()))


if __name__ == "__main__":
    main()
