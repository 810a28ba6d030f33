"""Computes expected.json: the figures of the example project, by scanpy, once.

Nothing here reads Scilake's SQL or its output. Means, fractions and per-cell figures come from scanpy's own functions;
the score of a cell type has no scanpy counterpart and is computed here in pandas, from the same definition as
models/analytics/marker_scores.sql.

    pip install scanpy==1.11.5
    python test/example/make_expected.py
"""

import hashlib
import json
import platform
import warnings
from pathlib import Path

import anndata
import numpy
import pandas
import scanpy
import scipy
from scipy.stats import median_abs_deviation

warnings.filterwarnings("ignore")

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
H5AD = PROJECT / "sources/data/10x_pbmc68k_reduced.h5ad"
MARKERS = PROJECT / "sources/data/marker_genes.tsv"
LABELS = PROJECT / "seeds/published_labels.csv"

# Genes of several cell types, one gene that many clusters lack (CYTL1), one in nearly every cell (FTL).
PAIRED_GENES = ["CD3D", "CD79A", "GNLY", "LYZ", "FCGR3A", "SPINK2", "CYTL1", "FTL"]
PAIRED_CLUSTERS = [0, 1, 3, 4, 10]
SHOWN_CELLS = [0, 1, 2, 99, 350, 699]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    adata = scanpy.read_h5ad(H5AD)
    raw = adata.raw.to_adata()
    obs = adata.obs.assign(cluster=adata.obs["louvain"].astype(str).astype(int))
    clusters = sorted(int(cluster) for cluster in obs["cluster"].unique())

    # The definition that counts: scanpy.get.aggregate over raw.X, zeros included.
    groups = scanpy.get.aggregate(raw, by="louvain", func=["mean", "count_nonzero"])
    order = [int(name) for name in groups.obs_names]
    mean = pandas.DataFrame(groups.layers["mean"], index=order, columns=raw.var_names).loc[clusters]
    expressing = pandas.DataFrame(groups.layers["count_nonzero"], index=order, columns=raw.var_names).loc[clusters]
    sizes = obs["cluster"].value_counts().loc[clusters]
    fraction = expressing.div(sizes, axis=0)

    # scanpy's dot plot computes the same two figures on a path of its own.
    dots = scanpy.pl.DotPlot(adata, PAIRED_GENES, groupby="louvain", use_raw=True, expression_cutoff=0)
    for ours, theirs in ((mean, dots.dot_color_df), (fraction, dots.dot_size_df)):
        theirs = theirs.set_axis([int(name) for name in theirs.index]).loc[clusters, PAIRED_GENES]
        assert numpy.allclose(ours[PAIRED_GENES], theirs.astype(float), rtol=1e-5, atol=1e-6)

    never = [(c, g) for g in raw.var_names for c in clusters if expressing.at[c, g] == 0]
    always = [(c, g) for g in raw.var_names for c in clusters if expressing.at[c, g] == sizes[c]]
    pairs = [(c, g) for c in PAIRED_CLUSTERS for g in PAIRED_GENES] + never[:3] + always[:3]

    per_cell, _ = scanpy.pp.calculate_qc_metrics(raw, percent_top=None, log1p=False, inplace=False)

    def deviation(values: pandas.Series) -> pandas.Series:
        values = values.astype(float)
        return (values - values.median()) / median_abs_deviation(values)

    deviations = pandas.DataFrame(
        {
            "counts": deviation(numpy.log1p(obs["n_counts"].astype(float))),
            "genes": deviation(numpy.log1p(obs["n_genes"].astype(float))),
            "mito": deviation(obs["percent_mito"]),
        }
    )
    outliers = (deviations["counts"].abs() > 5) | (deviations["genes"].abs() > 5) | (deviations["mito"].abs() > 3)

    markers = pandas.read_csv(MARKERS, sep="\t")
    measured = markers[markers["gene"].isin(raw.var_names)]
    standardised = (mean - mean.mean(axis=0)) / mean.std(axis=0, ddof=0)
    scores = pandas.DataFrame(
        {cell_type: standardised[list(rows["gene"])].mean(axis=1) for cell_type, rows in measured.groupby("cell_type")}
    )
    labels = pandas.read_csv(LABELS).set_index("published_label")["cell_type"]
    published = obs["bulk_labels"].astype(str).map(labels)
    best = []
    for cluster in clusters:
        ranked = scores.loc[cluster].sort_values(ascending=False)
        counts = published[obs["cluster"] == cluster].value_counts()
        best.append(
            {
                "cluster": cluster,
                "cell_type": ranked.index[0],
                "score": float(ranked.iloc[0]),
                "next_cell_type": ranked.index[1],
                "margin": float(ranked.iloc[0] - ranked.iloc[1]),
                "published_cell_type": counts.index[0],
                "published_share": float(counts.iloc[0] / sizes[cluster]),
            }
        )

    expected = {
        "about": "Figures of the example project, computed once by make_expected.py. Compare with the tolerance given.",
        "tolerance": {"relative": 1e-5, "absolute": 1e-6, "why": "scanpy computes means in 32-bit floats in places; Scilake sums in 64"},
        "made_with": {
            "python": platform.python_version(),
            "scanpy": scanpy.__version__,
            "anndata": anndata.__version__,
            "numpy": numpy.__version__,
            "pandas": pandas.__version__,
            "scipy": scipy.__version__,
        },
        "made_from": {str(path.relative_to(PROJECT)): sha256(path) for path in (H5AD, MARKERS, LABELS)},
        "totals": {
            "n_cells": int(adata.n_obs),
            "n_genes": int(raw.n_vars),
            "n_nonzero": int(raw.X.nnz),
            "sum_log_expression": float(raw.X.data.astype("float64").sum()),
            "n_cluster_gene_pairs": int(mean.size),
            "n_pairs_without_expression": len(never),
            "n_pairs_expressed_by_all": len(always),
            "sum_of_means": float(mean.to_numpy(dtype="float64").sum()),
            "sum_of_fractions": float(fraction.to_numpy(dtype="float64").sum()),
            "n_markers": len(markers),
            "n_markers_measured": len(measured),
            "n_outlier_cells": int(outliers.sum()),
        },
        "cells_by_cluster": [{"cluster": c, "n_cells": int(sizes[c])} for c in clusters],
        "cluster_expression": [
            {
                "cluster": c,
                "gene": g,
                "n_expressing": int(expressing.at[c, g]),
                "mean_expression": float(mean.at[c, g]),
                "fraction_expressing": float(fraction.at[c, g]),
            }
            for c, g in pairs
        ],
        "cells": [
            {
                "cell_idx": i,
                "barcode": adata.obs_names[i],
                "cluster": int(obs["cluster"].iloc[i]),
                "n_counts": float(obs["n_counts"].iloc[i]),
                "n_genes": int(obs["n_genes"].iloc[i]),
                "mito_fraction": float(obs["percent_mito"].iloc[i]),
                "n_panel_genes": int(per_cell["n_genes_by_counts"].iloc[i]),
                "panel_expression": float(per_cell["total_counts"].iloc[i]),
                "counts_deviation": float(deviations["counts"].iloc[i]),
                "genes_deviation": float(deviations["genes"].iloc[i]),
                "mito_deviation": float(deviations["mito"].iloc[i]),
                "is_outlier": bool(outliers.iloc[i]),
            }
            for i in [*SHOWN_CELLS, int(outliers.to_numpy().argmax())]
        ],
        "cluster_cell_types": best,
    }
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
