#!/usr/bin/env python3
"""Holds exported h5ad files against the originals, element by element, as Python anndata reads both.

    node dist/cli/main.js convert a.h5ad --out a && node dist/cli/main.js anndata export a a_again.h5ad
    anndata_roundtrip.py a.h5ad a_again.h5ad            # two files
    anndata_roundtrip.py --all FOLDER [FOLDER…]         # convert, export and compare every h5ad file there

Needs `pip install anndata` (hdf5plugin for files with other filters than gzip). Ends with 0 when all are equal.
"""
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping

warnings.filterwarnings("ignore")
try:
    import hdf5plugin  # noqa: F401  registers filters
except ImportError:
    pass
import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

CLI = os.path.join(os.path.dirname(__file__), "..", "..", "dist", "cli", "main.js")


def same_values(x, y):
    """Equal as values: NaN is NaN, missing is missing."""
    if x is y:
        return True
    if pd.api.types.is_scalar(x) and pd.isna(x):
        return pd.api.types.is_scalar(y) and pd.isna(y)
    return bool(x == y)


def differ(path, x, y, out):
    """Appends to `out` what is not the same below `path`."""
    if isinstance(x, Mapping):
        if not isinstance(y, Mapping) or set(x) != set(y):
            out.append((path, sorted(map(str, x)), sorted(map(str, y)) if isinstance(y, Mapping) else type(y).__name__))
            return
        for key in x:
            differ(f"{path}/{key}", x[key], y[key], out)
    elif isinstance(x, pd.DataFrame):
        if not isinstance(y, pd.DataFrame) or list(x.columns) != list(y.columns):
            out.append((path, "columns"))
            return
        if list(map(str, x.index)) != list(map(str, y.index)) or x.index.name != y.index.name:
            out.append((path, "index"))
        for i, name in enumerate(x.columns):
            differ(f"{path}[{name}]", x.iloc[:, i], y.iloc[:, i], out)
    elif isinstance(x, (pd.Series, pd.Categorical)) or pd.api.types.is_extension_array_dtype(getattr(x, "dtype", None)):
        if isinstance(x.dtype, pd.CategoricalDtype):
            a, b = (z.cat if isinstance(z, pd.Series) else z for z in (x, y))
            if (
                not isinstance(y.dtype, pd.CategoricalDtype)
                or list(a.categories) != list(b.categories)
                or a.categories.dtype != b.categories.dtype
                or a.ordered != b.ordered
                or list(a.codes) != list(b.codes)
            ):
                out.append((path, "categorical"))
        elif x.dtype != y.dtype:
            out.append((path, str(x.dtype), str(y.dtype)))
        elif not all(map(same_values, x, y)):
            out.append((path, "values"))
    elif sp.issparse(x):
        if not sp.issparse(y) or x.format != y.format or x.shape != y.shape or x.dtype != y.dtype or x.nnz != y.nnz:
            out.append((path, repr(x), repr(y)))
            return
        a, b = x.tocoo(), y.tocoo()
        i, j = (np.lexsort((z.data, z.col, z.row)) for z in (a, b))
        floats = a.data.dtype.kind == "f"
        if not (
            np.array_equal(a.row[i], b.row[j])
            and np.array_equal(a.col[i], b.col[j])
            and np.array_equal(a.data[i], b.data[j], equal_nan=floats)
        ):
            out.append((path, "values"))
    elif isinstance(x, np.ndarray):
        if not isinstance(y, np.ndarray) or x.shape != y.shape:
            out.append((path, x.shape, getattr(y, "shape", type(y).__name__)))
        elif x.dtype.names is not None:
            if x.dtype.names != y.dtype.names:
                out.append((path, x.dtype.names, y.dtype.names))
            else:
                for name in x.dtype.names:
                    differ(f"{path}[{name}]", x[name], y[name], out)
        elif x.dtype.kind in "SUO":
            texts = [[v.decode() if isinstance(v, bytes) else v for v in z.ravel()] for z in (x, y)]
            if not all(map(same_values, *texts)):
                out.append((path, "texts"))
        # Byte order is no part of a value.
        elif x.dtype.newbyteorder("=") != y.dtype.newbyteorder("="):
            out.append((path, str(x.dtype), str(y.dtype)))
        elif not np.array_equal(x, y, equal_nan=x.dtype.kind == "f"):
            out.append((path, "values"))
    elif isinstance(x, str) and isinstance(y, np.ndarray) and y.shape == (1,):
        # anndata 0.6 and earlier stored a text as an array of one, and only files of that age are read back as one.
        if y[0] != x:
            out.append((path, x, y))
    elif x is None or y is None:
        if x is not y:
            out.append((path, x, y))
    elif type(x) is not type(y) and not (np.isscalar(x) and np.isscalar(y) and np.asarray(x).dtype == np.asarray(y).dtype):
        out.append((path, type(x).__name__, type(y).__name__))
    elif not same_values(x, y):
        out.append((path, x, y))


def compare(original, again):
    a, b = ad.read_h5ad(original), ad.read_h5ad(again)
    out = []
    for name in ("X", "obs", "var", "layers", "obsm", "varm", "obsp", "varp", "uns"):
        x, y = getattr(a, name), getattr(b, name)
        differ(name, *(dict(z) if name not in ("X", "obs", "var") else z for z in (x, y)), out)
    if (a.raw is None) != (b.raw is None):
        out.append(("raw", a.raw, b.raw))
    elif a.raw is not None:
        differ("raw/X", a.raw.X, b.raw.X, out)
        differ("raw/var", a.raw.var, b.raw.var, out)
        differ("raw/varm", dict(a.raw.varm), dict(b.raw.varm), out)
    return out


def all_files(folders):
    failed = compared = skipped = 0
    for folder in folders:
        for name in sorted(os.listdir(folder)):
            if not name.endswith(".h5ad"):
                continue
            file = os.path.join(folder, name)
            with tempfile.TemporaryDirectory() as place:
                out, again = os.path.join(place, "out"), os.path.join(place, "again.h5ad")
                converted = subprocess.run(["node", CLI, "convert", file, "--out", out], capture_output=True, text=True)
                if converted.returncode == 1:
                    print(f"{name}: refused, {converted.stderr.splitlines()[0]}")
                    skipped += 1
                    continue
                try:
                    converted.check_returncode()
                    subprocess.run(["node", CLI, "anndata", "export", out, again], check=True, capture_output=True, text=True)
                except subprocess.CalledProcessError as error:
                    print(f"{name}: FAILED\n{error.stderr}")
                    failed += 1
                    continue
                try:
                    ad.read_h5ad(file)
                except Exception as error:  # anndata itself cannot read it: no oracle
                    print(f"{name}: anndata cannot read the original ({type(error).__name__})")
                    skipped += 1
                    continue
                found = compare(file, again)
                compared += 1
                failed += bool(found)
                print(f"{name}: {'EQUAL' if not found else 'DIFFERENT'}")
                for difference in found[:20]:
                    print("  ", *difference)
    print(f"{compared} compared, {skipped} skipped, {failed} failed")
    return failed


if __name__ == "__main__":
    if sys.argv[1] == "--all":
        sys.exit(bool(all_files(sys.argv[2:])))
    found = compare(*sys.argv[1:3])
    print("EQUAL" if not found else "DIFFERENT")
    for difference in found[:20]:
        print("  ", *difference)
    sys.exit(bool(found))
