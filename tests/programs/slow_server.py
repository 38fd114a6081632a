"""A server on stdin and stdout that answers a call of a tool when the next request has come."""

import json
import sys

if __name__ == "__main__":
    held: list[str] = []
    for line in sys.stdin:
        request = json.loads(line)
        if "id" not in request:
            continue
        held.append(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": {}}))
        if request["method"] != "tools/call":
            print(*held, sep="\n", flush=True)
            held.clear()
