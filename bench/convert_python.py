#!/usr/bin/env python3
"""What Python takes for the same: convert_python.py stream|anndata|mmread FILE OUT; prints what it cost."""
import json
import resource
import sys

what, file, out = sys.argv[1:4]
if what == "stream":
    import h5py
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("cell_idx", pa.int32()), ("gene_idx", pa.int32()), ("value", pa.float32())])
    with h5py.File(file) as f, pq.ParquetWriter(out, schema, compression="zstd") as writer:
        x = f["X"]
        pointers = x["indptr"][:]
        step, total = 1 << 21, len(x["data"])
        for start in range(0, total, step):
            end = min(total, start + step)
            cell = np.searchsorted(pointers, np.arange(start, end), side="right").astype("i4") - 1
            columns = [cell, x["indices"][start:end], x["data"][start:end]]
            writer.write_table(pa.table([pa.array(c) for c in columns], schema=schema))
elif what == "anndata":
    import anndata
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    x = anndata.read_h5ad(file).X
    cell = np.repeat(np.arange(x.shape[0], dtype="i4"), np.diff(x.indptr))
    table = pa.table({"cell_idx": cell, "gene_idx": x.indices, "value": x.data})
    pq.write_table(table, out, compression="zstd")
else:
    import scipy.io

    scipy.io.mmread(file)
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"cpuSeconds": usage.ru_utime + usage.ru_stime, "peakMb": usage.ru_maxrss / 1024}))
