"""A server on stdin and stdout that takes a second for each call of a tool."""

import json
import sys
import time

if __name__ == "__main__":
    for line in sys.stdin:
        request = json.loads(line)
        if request["method"] == "tools/call":
            time.sleep(1)
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": {}}), flush=True)
