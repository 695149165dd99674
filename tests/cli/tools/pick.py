"""pick KEY...: values of the JSON object on standard input; a path such as groups.0.rows goes deeper."""

import json
import sys

document = json.load(sys.stdin)
for path in sys.argv[1:]:
    value = document
    for part in path.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    print(f"{path}: {json.dumps(value)}")
