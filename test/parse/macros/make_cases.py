"""Makes macro-cases.json: what SQLMesh 0.236.4 expands macros to, in the DuckDB dialect.

    python3 -m venv venv && venv/bin/pip install sqlmesh==0.236.4
    venv/bin/python test/parse/macros/make_cases.py

Variables and schemas are those of macros.test.ts. A case that SQLMesh refuses is left out here and tested by hand there.
"""

import json
import logging
import pathlib

logging.disable(logging.CRITICAL)
from sqlglot.schema import MappingSchema
from sqlmesh.core.dialect import parse_one
from sqlmesh.core.macros import MacroEvaluator

VARIABLES = {"v": "z", "n": 2, "f": 1.5, "b": True, "lst": ["p", "q"], "start_ds": "2024-01-01", "end_ds": "2024-01-02"}
SCHEMAS = {
    "foo": {"a": "int", "b": "text", "c": "text"},
    "bar": {"c": "text", "a": "int", "b": "int"},
}
QUERIES = """
SELECT @EACH([a, b, c], x -> x + 1 AS @{x}_p) FROM t
SELECT @EACH(@lst, x -> @x) FROM t
SELECT @EACH(@lst, x -> x AS @{x}_c) FROM t
SELECT @EACH([(a, 1), (b, 2)], (c, k) -> c + k AS @{c}_@{k}) FROM t
SELECT @EACH([a, b], x -> CASE WHEN x = 'g' THEN x END AS x) FROM t
SELECT @EACH([a,b], x -> t.x) FROM t
SELECT @EACH([], x -> x), a FROM t
SELECT @EACH(['x','y'], k -> @SQL('col_@k'))
SELECT @AND(@EACH([a,b], c -> c > 0)) FROM t
SELECT a FROM t WHERE @REDUCE(@EACH([a,b], c -> c IS NULL), (l, r) -> l OR r)
SELECT @REDUCE([a, b, c], (l, r) -> l + r) AS s FROM t
SELECT @FILTER([1,2,3], x -> x > 1)
SELECT @EVAL(@REDUCE(@FILTER([1, 2, 3], x -> x > 1), (x, y) -> x + y))
SELECT @AND(a > 1, NULL) FROM t
SELECT a FROM t WHERE @AND(NULL, NULL)
SELECT a FROM t WHERE @AND(a > 1 OR b, c AND d, e)
SELECT a FROM t WHERE @OR(a > 1 AND b, c OR d)
SELECT a, @IF(FALSE, b), c FROM t
SELECT @IF(TRUE, b, c) FROM t
SELECT @IF(@n > 1 AND @v = 'z', 1, 2)
SELECT @IF(@EVAL(5 > 3), 'yes', 'no')
SELECT @EVAL(1 + 2 * 3) AS x
SELECT @EVAL(1 = 1 AND NOT 2 > 3) AS x
SELECT @EVAL(CASE WHEN @n = 2 THEN 'two' ELSE 'other' END)
SELECT a FROM t @WHERE(FALSE) a > 1
SELECT a FROM t @WHERE(TRUE) a > 1 @GROUP_BY(FALSE) a
SELECT a FROM t @WHERE(TRUE) a > 1 @GROUP_BY(TRUE) a @ORDER_BY(TRUE) a
SELECT a FROM t GROUP BY a @HAVING(FALSE) count(*) > 1 ORDER BY a
SELECT a FROM t @LIMIT(TRUE) 10
SELECT a FROM t @LIMIT(FALSE) 10
SELECT * FROM a LEFT OUTER @JOIN(FALSE) b ON a.x = b.x WHERE a.y
SELECT * FROM a @JOIN(TRUE) b ON a.x = b.x
@WITH(FALSE) x AS (SELECT 1) SELECT * FROM y
@WITH(TRUE) x AS (SELECT 1) SELECT * FROM x
SELECT @SQL('a + 1') AS x
SELECT @SQL('@v + 1')
SELECT @'col_@v' AS y, @{v}_col, @v, "@{v}_q" FROM @{v}.tbl
SELECT @lst
SELECT @n + @f, @b
SELECT @VAR('v'), @VAR('nope', 3)
SELECT * FROM t WHERE ds BETWEEN @start_ds AND @end_ds
SELECT @SAFE_ADD(a, b, c), @SAFE_DIV(a + b, c), @SAFE_SUB(a,b) FROM t
SELECT @GENERATE_SURROGATE_KEY(a, b) FROM t
SELECT @GENERATE_SURROGATE_KEY(a, b, hash_function := 'SHA256') FROM t
SELECT @HAVERSINE_DISTANCE(a.lat, lon, lat2 + 1, lon2, 'km') FROM t
SELECT @HAVERSINE_DISTANCE(a, b, c, d) FROM t
SELECT d, @PIVOT(status, ['x', 'y']) FROM t GROUP BY 1
SELECT @PIVOT(a, ['v'], then_value := tv, suffix := '_sfx', quote := FALSE, agg := 'MAX', cmp := '>=') FROM t
@DEDUPLICATE(t, [id], ['ts DESC'])
@DATE_SPINE('day', '2022-01-20', '2022-02-01')
@DATE_SPINE('quarter', '2022-01-20', '2022-12-01')
SELECT @STAR(foo, bar, exclude := [c], prefix := 'p_') FROM foo AS bar
SELECT @STAR(foo) FROM foo
@UNION('distinct', foo, bar)
@UNION('all', foo, bar, foo)
@UNION(FALSE, 'all', foo, bar)
"""


def expanded(query):
    evaluator = MacroEvaluator(dialect="duckdb", schema=MappingSchema(SCHEMAS, dialect="duckdb"))
    evaluator.locals.update(VARIABLES)
    evaluator.locals["__sqlmesh__vars__"] = {"v": "z"}
    return evaluator.transform(parse_one(query, dialect="duckdb")).sql("duckdb")


cases = [{"sql": query, "expected": expanded(query)} for query in QUERIES.strip().split("\n")]
path = pathlib.Path(__file__).parent / "macro-cases.json"
path.write_text(json.dumps(cases, indent=2) + "\n")
print(len(cases))
