"""What SQLMesh's own built-in audits find: writes audits.json beside this file.

Run once with SQLMesh 0.236.4 and DuckDB 1.5 (`pip install sqlmesh==0.236.4`); run again only when a case is added.
Each call is rendered by SQLMesh for a model over table t and run on DuckDB; the number of rows is kept.
"""
import json
import pathlib

import duckdb
from sqlmesh.core.audit.builtin import BUILT_IN_AUDITS
from sqlmesh.core.dialect import parse
from sqlmesh.core.model import load_sql_based_model

SETUP = [
    "CREATE TABLE t AS SELECT * FROM (VALUES "
    "(1, 'a', 1, 'x', 1, 3, 'https://a.org/b', 'GET', 'me@a.org', '6ba7b810-9dad-11d1-80b4-00c04fd430c8', 2.0),"
    "(2, 'a', NULL, '', 3, 4, 'ftp://a/b', 'get', 'me@a', '6BA7B810-9DAD-11D1-80B4-00C04FD430C8', 2.5),"
    "(4, 'b', 5, 'x', 4, 6, 'a.org', 'PUT', 'me', 'no', 1.5),"
    "(NULL, NULL, 9, 'xyz', NULL, NULL, NULL, NULL, NULL, NULL, NULL),"
    "(5, NULL, 9, 'x', 5, 2, 'http://x y', 'POST', 'a.b+c@d-e.f.g', '6ba7b810-9dad-61d1-80b4-00c04fd430c8', 90.0)"
    ") AS v(id, cls, mag, same, lo, hi, url, method, mail, uuid, num)",
    "CREATE TABLE empty AS FROM t LIMIT 0",
]
CALLS = [
    "not_null(columns := (id))",
    "not_null(columns := (id, mag))",
    "not_null(columns := id)",
    "not_null(columns := (id, mag), condition := cls = 'a' OR id IS NULL)",
    "at_least_one(column := id)",
    "at_least_one(column := mag, condition := id = 2)",
    "unique_values(columns := (id))",
    "unique_values(columns := (cls))",
    "unique_values(columns := (cls), condition := cls = 'b')",
    "unique_combination_of_columns(columns := (cls, same))",
    "unique_combination_of_columns(columns := (cls, id))",
    "unique_combination_of_columns(columns := (cls), condition := cls IS NULL)",
    "accepted_values(column := cls, is_in := ('a'))",
    "accepted_values(column := cls, is_in := ('a', 'b'))",
    "accepted_values(column := id, is_in := (1, 2, NULL))",
    "not_accepted_values(column := cls, is_in := ('b', 'z'))",
    "not_accepted_values(column := cls, is_in := ('z', NULL))",
    "number_of_rows(threshold := 4)",
    "number_of_rows(threshold := 5)",
    "number_of_rows(threshold := 5, condition := id > 2)",
    "forall(criteria := (id < 3, mag > 0))",
    "forall(criteria := (id < 3 OR mag > 5, length(same) = 1))",
    "accepted_range(column := mag, min_v := 1, max_v := 9)",
    "accepted_range(column := mag, min_v := 1, max_v := 9, inclusive := false)",
    "accepted_range(column := mag, max_v := 5)",
    "accepted_range(column := mag, min_v := 2, condition := id = 1)",
    "not_constant(column := cls)",
    "not_constant(column := same, condition := id IN (1, 4, 5))",
    "not_empty_string(column := same)",
    "not_null_proportion(column := mag, threshold := 0.8)",
    "not_null_proportion(column := mag, threshold := 0.79)",
    "sequential_values(column := id)",
    "sequential_values(column := lo, interval := 2)",
    "sequential_values(column := id, condition := id > 2)",
    "mutually_exclusive_ranges(lower_bound_column := lo, upper_bound_column := hi)",
    "mutually_exclusive_ranges(lower_bound_column := lo, upper_bound_column := hi, condition := lo < 5)",
    "valid_uuid(column := uuid)",
    "valid_url(column := url)",
    "valid_http_method(column := method)",
    "valid_email(column := mail)",
    "match_regex_pattern_list(column := url, patterns := ('^https?:', '/b$'))",
    "match_regex_pattern_list(column := url, patterns := ('^https'))",
    "not_match_regex_pattern_list(column := url, patterns := ('^https?:', '/b$'))",
    "match_like_pattern_list(column := url, patterns := ('http%', '%.org'))",
    "not_match_like_pattern_list(column := url, patterns := ('http%', '%.org'))",
    "not_match_like_pattern_list(column := url, patterns := ('http%', '%.org'), condition := id = 4)",
    "z_score(column := num, threshold := 1)",
    "z_score(column := num, threshold := 3)",
    "string_length_between(column := same, min_v := 1, max_v := 2)",
    "string_length_between(column := same, max_v := 3, inclusive := false)",
    "string_length_equal(column := same, v := 1)",
    "stddev_in_range(column := mag, min_v := 3, max_v := 4)",
    "stddev_in_range(column := mag, min_v := 1, max_v := 2)",
    "mean_in_range(column := mag, min_v := 6, max_v := 7)",
    "mean_in_range(column := mag, min_v := 6, inclusive := false)",
    "mean_in_range(column := mag, max_v := 5)",
    "chi_square(column_a := cls, column_b := same, critical_value := 2)",
    "chi_square(column_a := method, column_b := same, critical_value := 100)",
    "chi_square(column_a := method, column_b := same, critical_value := 0.1, dependent := false)",
]


def answer(connection, call, table):
    header = f"MODEL (name {table}, kind FULL, dialect duckdb, audits ({call})); SELECT 1 AS a"
    model = load_sql_based_model(parse(header, default_dialect="duckdb"), dialect="duckdb")
    ((name, arguments),) = model.audits
    query = model.render_audit_query(BUILT_IN_AUDITS[name], **arguments)
    return len(connection.execute(query.sql("duckdb")).fetchall())


connection = duckdb.connect()
for statement in SETUP:
    connection.execute(statement)
found = {
    "setup": SETUP,
    "names": sorted(BUILT_IN_AUDITS),
    "cases": [{"call": call, "rows": answer(connection, call, "t"), "ofEmpty": answer(connection, call, "empty")} for call in CALLS],
}
target = pathlib.Path(__file__).with_name("audits.json")
target.write_text(json.dumps(found, indent=2) + "\n")
