"""The same with sqlglot: parse, qualify and lineage of all columns of queries.json; prints what it cost.

    sqlglot_lineage.py QUERIES.json per-query    one pass for all columns of a query: the cheapest that sqlglot offers
    sqlglot_lineage.py QUERIES.json typed        the same with the type of every column, which Scilake's figure holds too
    sqlglot_lineage.py QUERIES.json per-column   `lineage(column, sql, schema)` for each column, as its documentation shows it
"""

import json
import os
import sys

import sqlglot
from sqlglot import exp
from sqlglot.lineage import lineage
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope
from sqlglot.schema import MappingSchema

with open(sys.argv[1]) as file:
    project = json.load(file)
way = sys.argv[2]
schema = MappingSchema({"raw": project["raw"]}, dialect="duckdb")
text = exp.DataType.build("TEXT")
column_count = edge_count = 0


def edges(node):
    return len({step.name for step in node.walk() if isinstance(step.expression, exp.Table)})


for model in project["models"]:
    types = {}
    if way in ("per-query", "typed"):
        query = qualify(sqlglot.parse_one(model["sql"], dialect="duckdb"), schema=schema, dialect="duckdb")
        if way == "typed":
            query = annotate_types(query, schema=schema, dialect="duckdb")
            types = {column.alias_or_name: column.type for column in query.selects if column.type}
        # One call for all columns shares the work between them.
        found = lineage(None, query, schema, dialect="duckdb", scope=build_scope(query), copy=False, trim_selects=False)
        names = query.named_selects
        edge_count += sum(edges(node) for node in found.values())
    else:
        names = sqlglot.parse_one(model["sql"], dialect="duckdb").named_selects
        edge_count += sum(edges(lineage(name, model["sql"], schema, dialect="duckdb")) for name in names)
    column_count += len(names)
    layer, table = model["name"].split(".")
    schema.add_table(f"{layer}.{table}", {name: types.get(name) or text for name in names}, dialect="duckdb")
times = os.times()
print(
    json.dumps(
        {
            "cpuSeconds": times.user + times.system,
            "modelCount": len(project["models"]),
            "columnCount": column_count,
            "edgeCount": edge_count,
            "version": sqlglot.__version__,
            # There is a compiled build of it too, which halves this; `pip install sqlglot` does not bring it.
            "isCompiled": any((getattr(m, "__file__", None) or "").endswith(".so") for n, m in list(sys.modules.items()) if n.startswith("sqlglot")),
        }
    )
)
