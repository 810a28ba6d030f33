#!/usr/bin/env python3
"""Makes a sparse matrix of random counts: convert-inputs.py h5ad|mtx CELLS GENES ENTRIES FILE. Written block by block."""
import gzip
import sys

import numpy as np

kind, cells, genes, entries, file = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5]
rng = np.random.default_rng(7)
per_cell = entries // cells


def blocks():
    """Pointers, genes and counts of some cells at a time; the genes of a cell ascend and differ."""
    for start in range(0, cells, 500):
        n = min(500, cells - start)
        keep = rng.random((n, genes), dtype=np.float32) < per_cell / genes
        rows, columns = np.nonzero(keep)
        yield np.bincount(rows, minlength=n), columns.astype("i4"), rng.geometric(0.45, len(rows)).astype("f4")


if kind == "h5ad":
    import h5py

    with h5py.File(file, "w") as f:
        f.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        for name, count, word in (("obs", cells, "cell"), ("var", genes, "gene")):
            g = f.create_group(name)
            g.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": "_index"})
            g.attrs["column-order"] = np.array([], dtype=h5py.string_dtype())
            d = g.create_dataset("_index", data=[f"{word}-{i}" for i in range(count)], dtype=h5py.string_dtype())
            d.attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})
        x = f.create_group("X")
        x.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": np.array([cells, genes])})
        # As anndata's write_h5ad(compression="gzip") makes them; h5py chooses the chunks.
        options = {"shape": (entries,), "maxshape": (None,), "compression": "gzip"}
        data, indices = x.create_dataset("data", dtype="f4", **options), x.create_dataset("indices", dtype="i4", **options)
        counts, at = [], 0
        for sizes, columns, values in blocks():
            if at + len(values) > len(data):
                data.resize((at + len(values),))
                indices.resize((at + len(values),))
            data[at : at + len(values)] = values
            indices[at : at + len(values)] = columns
            counts.append(sizes)
            at += len(values)
        data.resize((at,))
        indices.resize((at,))
        x.create_dataset("indptr", data=np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype("i4" if at < 2**31 else "i8"))
else:
    parts, at = [], 0
    for sizes, columns, values in blocks():
        rows = np.repeat(np.arange(at, at + len(sizes)), sizes) + 1
        at += len(sizes)
        parts.append((columns + 1, rows, values.astype("i4")))
    total = sum(len(p[0]) for p in parts)
    with gzip.open(file, "wb", compresslevel=6) as f:
        f.write(f"%%MatrixMarket matrix coordinate integer general\n{genes} {cells} {total}\n".encode())
        for columns, rows, values in parts:
            f.write("".join(map("%d %d %d\n".__mod__, zip(columns.tolist(), rows.tolist(), values.tolist()))).encode())
