"""Brings the files of an S3 prefix here with dlt: python dlt_filesystem.py list|land BUCKET FOLDER.

`list` loads what the store says of each file, incrementally by time of change; `land` also reads the bytes of each new
one and writes them to a folder.
"""

import json
import os
import resource
import sys
import time

import dlt
from dlt.sources.filesystem import filesystem

what, bucket, folder = sys.argv[1:4]
began = time.monotonic()
landed = os.path.join(folder, "landed")
os.makedirs(landed, exist_ok=True)


@dlt.transformer
def written(items):
    for item in items:
        with open(os.path.join(landed, item["file_name"]), "wb") as file:
            file.write(item.read_bytes())
        yield {"file_name": item["file_name"], "size": item["size_in_bytes"]}


listed = filesystem(
    bucket_url=f"s3://{bucket}/runs",
    file_glob="*.csv",
    incremental=dlt.sources.incremental("modification_date"),
)
pipeline = dlt.pipeline(
    pipeline_name=f"bench_{what}",
    pipelines_dir=os.path.join(folder, "pipelines"),
    destination=dlt.destinations.duckdb(os.path.join(folder, f"{what}.duckdb")),
)
pipeline.run((listed if what == "list" else listed | written).with_name("files"))
used = resource.getrusage(resource.RUSAGE_SELF)
print(
    json.dumps(
        {
            "cpuSeconds": used.ru_utime + used.ru_stime,
            "wallSeconds": time.monotonic() - began,
            "peakMb": used.ru_maxrss / 1024,
            "version": dlt.__version__,
        }
    )
)
