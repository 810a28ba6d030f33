"""Prints the records that dlt's rest_api source takes from an interface, one line of JSON each.

Arguments: base address, path, data selector, paginator as JSON.
"""

import json
import sys

from dlt.sources.rest_api import rest_api_resources

base, path, selector, paginator = sys.argv[1:5]
endpoint = {"path": path, "paginator": json.loads(paginator)}
if selector:
    endpoint["data_selector"] = selector
(resource,) = rest_api_resources(
    {"client": {"base_url": base}, "resources": [{"name": "records", "endpoint": endpoint}]}
)
for record in resource:
    print(json.dumps(record, separators=(",", ":")))
