"""Makes tpc-queries.jsonl and tpc-schemas.json: the TPC-H and TPC-DS queries with sqlglot's column lineage of each.

    python3 -m venv venv
    venv/bin/pip install duckdb==1.5.5 sqlglot==30.30.0 duckdb-extension-tpch==1.5.5 duckdb-extension-tpcds==1.5.5
    venv/bin/python test/lineage/tpc/make_tpc.py

Query texts: `tpch_queries()` and `tpcds_queries()` of DuckDB's extensions tpch and tpcds (MIT license). Schemas: the tables that
their generators make at scale factor 0. Lineage: `sqlglot.lineage` of every output column by position, after `qualify`
against these schemas; its leaves that are tables, as `table.column`, sorted.
"""

import importlib
import json
import pathlib

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.lineage import to_node
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope
from sqlglot.schema import MappingSchema

HERE = pathlib.Path(__file__).parent


def extension_file(name):
    """The extension that a wheel carries."""
    package = pathlib.Path(importlib.import_module(f"duckdb_extension_{name}").__file__).parent
    [found] = package.rglob(f"{name}.duckdb_extension")
    return found


def benchmark(name, generate):
    connection = duckdb.connect()
    connection.execute(f"LOAD '{extension_file(name)}'")
    queries = connection.execute(f"SELECT query_nr, query FROM {name}_queries() ORDER BY query_nr").fetchall()
    connection.execute(generate)
    columns = connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal ORDER BY table_name, column_index"
    ).fetchall()
    schema = {}
    for table, column, data_type in columns:
        schema.setdefault(table, {})[column] = data_type
    return queries, schema


def sources(node):
    """Leaves of a lineage tree that are columns of tables."""
    found = set()
    for step in node.walk():
        if isinstance(step.expression, exp.Table):
            column = exp.maybe_parse(step.name, into=exp.Column, dialect="duckdb").name
            found.add(f"{step.expression.name}.{column}".lower())
    return sorted(found)


def lineage_of(sql, schema):
    known = MappingSchema(schema, dialect="duckdb")
    query = qualify(sqlglot.parse_one(sql, dialect="duckdb"), schema=known, dialect="duckdb")
    scope = build_scope(query)
    return [sources(to_node(index, scope, "duckdb", known)) for index, _ in enumerate(query.selects)]


def main():
    schemas, lines, count = {}, [], 0
    for name, generate in (("tpch", "CALL dbgen(sf = 0)"), ("tpcds", "CALL dsdgen(sf = 0)")):
        queries, schemas[name] = benchmark(name, generate)
        for number, sql in queries:
            lineage = lineage_of(sql, schemas[name])
            count += len(lineage)
            lines.append(json.dumps({"benchmark": name, "number": number, "sql": sql, "lineage": lineage}))
    versions = {"duckdb": duckdb.__version__, "sqlglot": sqlglot.__version__}
    (HERE / "tpc-queries.jsonl").write_text("\n".join(lines) + "\n")
    (HERE / "tpc-schemas.json").write_text(json.dumps({"versions": versions, "schemas": schemas}, indent=2) + "\n")
    print(f"{len(lines)} queries, {count} output columns, {versions}")


if __name__ == "__main__":
    main()
