"""An MCP backend on stdio that answers every request; it ends with its input.

usage: answering.py [LOGGER]

With a LOGGER it logs, for each request, at each level of `logging`. It knows nothing of relayscope.
"""

import json
import logging
import sys


def main() -> None:
    """Answer each line."""
    logger = logging.getLogger(sys.argv[1]) if len(sys.argv) > 1 else None
    logging.getLogger().setLevel(logging.DEBUG)
    for line in sys.stdin:
        message = json.loads(line)
        if logger is not None:
            for name in ("debug", "info", "warning", "error"):
                getattr(logger, name)("%s of %s", name, message["id"])
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": {"content": []}}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
