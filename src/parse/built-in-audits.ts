import { locate, type TextFile } from '../domain/location.js';
import type { Audit } from '../domain/model.js';

interface Definition {
  readonly name: string;
  readonly sql: string;
  readonly defaults?: Readonly<Record<string, string>>;
}

/** Breaks where a value lies outside `min_v` and `max_v`; a limit of NULL is none. */
const outside = (value: string): string =>
  `CASE WHEN @inclusive THEN ${value} < @min_v OR ${value} > @max_v ELSE ${value} <= @min_v OR ${value} >= @max_v END`;
const rangeDefaults = { inclusive: 'true', min_v: 'NULL', max_v: 'NULL' };

/** All rows for which a condition holds; NULL is no violation. */
const rowsWhere = (condition: string): string => `SELECT * FROM @this_model WHERE (${condition}) AND (@condition)`;

/** Breaks for texts that do not match; NULL does not break. */
const notMatching = (pattern: string, value = 'CAST(@column AS VARCHAR)'): string =>
  rowsWhere(`NOT regexp_matches(${value}, '${pattern}')`);

/**
 * The generic audits that every project has, by SQLMesh's names and with its arguments. Each is a query over `@this_model`
 * that gives the rows that break the promise. Where they differ from SQLMesh's, and why, stands in `docs/audits.md`.
 *
 * @source SQLMesh 0.236.4, `core/audit/builtin.py`: the meaning, not the text
 */
const definitions: readonly Definition[] = [
  { name: 'not_null', sql: rowsWhere('@OR(@EACH(@columns, c -> (c) IS NULL))') },
  {
    name: 'at_least_one',
    sql: 'SELECT 1 AS no_value FROM @this_model WHERE (@condition) GROUP BY 1 HAVING count(@column) = 0',
  },
  {
    name: 'unique_values',
    sql: 'SELECT * FROM @this_model WHERE (@condition) QUALIFY @OR(@EACH(@columns, c -> count(*) OVER (PARTITION BY c) > 1))',
  },
  {
    name: 'unique_combination_of_columns',
    sql: 'SELECT @EACH(@columns, c -> c), count(*) AS rows_of_combination FROM @this_model WHERE (@condition) GROUP BY @EACH(@columns, c -> c) HAVING count(*) > 1',
  },
  { name: 'accepted_values', sql: rowsWhere('(@column) NOT IN (@EACH(@is_in, v -> v))') },
  { name: 'not_accepted_values', sql: rowsWhere('(@column) IN (@EACH(@is_in, v -> v))') },
  { name: 'accepted_range', sql: rowsWhere(outside('(@column)')), defaults: rangeDefaults },
  {
    name: 'number_of_rows',
    sql: 'SELECT count(*) AS rows_found FROM @this_model WHERE (@condition) HAVING count(*) <= @threshold',
  },
  { name: 'forall', sql: rowsWhere('@OR(@EACH(@criteria, c -> NOT (c)))') },
  {
    name: 'not_constant',
    sql: 'SELECT count(DISTINCT @column) AS distinct_values FROM @this_model WHERE (@condition) HAVING count(DISTINCT @column) <= 1',
  },
  { name: 'not_empty_string', sql: rowsWhere("(@column) = ''") },
  {
    name: 'not_null_proportion',
    sql: 'SELECT count(@column) / count(*) AS proportion FROM @this_model WHERE (@condition) HAVING count(*) > 0 AND count(@column) <= count(*) * @threshold',
  },
  {
    name: 'sequential_values',
    sql: `SELECT * FROM (
  SELECT @column AS value, lag(@column) OVER (ORDER BY @column NULLS FIRST) AS previous_value FROM @this_model WHERE (@condition)
) AS neighbours WHERE NOT (value = previous_value + @interval)`,
    defaults: { interval: '1' },
  },
  {
    name: 'mutually_exclusive_ranges',
    sql: `SELECT lower_bound, upper_bound, next_lower_bound FROM (
  SELECT
    @lower_bound_column AS lower_bound,
    @upper_bound_column AS upper_bound,
    lead(@lower_bound_column) OVER (@{partition_clause} ORDER BY @lower_bound_column NULLS FIRST, @upper_bound_column NULLS FIRST) AS next_lower_bound,
    row_number() OVER (@{partition_clause} ORDER BY @lower_bound_column DESC NULLS LAST, @upper_bound_column DESC NULLS LAST) = 1 AS is_last
  FROM @this_model WHERE (@condition)
) AS ranges WHERE NOT (coalesce(lower_bound <= upper_bound, false) AND coalesce(upper_bound <= next_lower_bound, is_last, false))`,
    defaults: { partition_clause: '' },
  },
  {
    name: 'valid_uuid',
    sql: notMatching(
      '^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$',
      'lower(CAST(@column AS VARCHAR))',
    ),
  },
  { name: 'valid_url', sql: notMatching('^(https?|ftp)://[^\\s/$.?#].[^\\s]*$') },
  {
    name: 'valid_http_method',
    sql: rowsWhere("(@column) NOT IN ('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT')"),
  },
  { name: 'valid_email', sql: notMatching('^[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\\.[a-zA-Z0-9-.]+$') },
  {
    name: 'match_regex_pattern_list',
    sql: rowsWhere('@AND(@EACH(@patterns, p -> NOT regexp_matches(@column, p)))'),
  },
  { name: 'not_match_regex_pattern_list', sql: rowsWhere('@OR(@EACH(@patterns, p -> regexp_matches(@column, p)))') },
  { name: 'match_like_pattern_list', sql: rowsWhere('@AND(@EACH(@patterns, p -> (@column) NOT LIKE p))') },
  { name: 'not_match_like_pattern_list', sql: rowsWhere('@OR(@EACH(@patterns, p -> (@column) LIKE p))') },
  {
    name: 'z_score',
    sql: `SELECT value, (value - mean) / nullif(deviation, 0) AS z_score FROM (
  SELECT @column AS value, avg(@column) OVER () AS mean, stddev_samp(@column) OVER () AS deviation FROM @this_model WHERE (@condition)
) AS scored WHERE abs((value - mean) / nullif(deviation, 0)) > @threshold`,
  },
  { name: 'string_length_between', sql: rowsWhere(outside('length(@column)')), defaults: rangeDefaults },
  { name: 'string_length_equal', sql: rowsWhere('length(@column) <> @v') },
  {
    name: 'stddev_in_range',
    sql: `SELECT * FROM (SELECT stddev_samp(@column) AS deviation FROM @this_model WHERE (@condition)) AS found WHERE ${outside('deviation')}`,
    defaults: rangeDefaults,
  },
  {
    name: 'mean_in_range',
    sql: `SELECT * FROM (SELECT avg(@column) AS mean FROM @this_model WHERE (@condition)) AS found WHERE ${outside('mean')}`,
    defaults: rangeDefaults,
  },
  {
    name: 'kl_divergence',
    sql: `WITH p AS (SELECT @source_column AS value, count(*) / sum(count(*)) OVER () AS share FROM @this_model WHERE (@condition) GROUP BY 1),
q AS (SELECT @target_column AS value, count(*) / sum(count(*)) OVER () AS share FROM @this_model WHERE (@condition) GROUP BY 1)
SELECT sum(CASE WHEN q.share IS NULL THEN 'inf'::DOUBLE ELSE p.share * ln(p.share / q.share) END) AS kl_divergence
FROM p LEFT JOIN q ON p.value IS NOT DISTINCT FROM q.value
HAVING kl_divergence > @threshold`,
  },
  {
    name: 'chi_square',
    sql: `WITH pairs AS (SELECT @column_a AS a, @column_b AS b FROM @this_model WHERE (@column_a) IS NOT NULL AND (@column_b) IS NOT NULL AND (@condition)),
cells AS (SELECT a, b, count(*) AS observed, sum(count(*)) OVER (PARTITION BY a) AS of_a, sum(count(*)) OVER (PARTITION BY b) AS of_b FROM pairs GROUP BY a, b)
SELECT
  (count(DISTINCT a) - 1) * (count(DISTINCT b) - 1) AS degrees_of_freedom,
  sum(observed) * (sum(observed::DOUBLE * observed / (of_a * of_b)) - 1) AS chi_square
FROM cells
HAVING NOT CASE WHEN @dependent THEN chi_square > @critical_value ELSE chi_square <= @critical_value END`,
    defaults: { dependent: 'true' },
  },
  {
    name: 'relationships',
    sql: `SELECT * FROM @this_model AS referring
WHERE (@column) IS NOT NULL AND (@condition) AND (@column) NOT IN (SELECT referenced.@{field} FROM @{to} AS referenced WHERE referenced.@{field} IS NOT NULL)`,
  },
];

/** The built-in audits and, as SQLMesh has them, a twin of each that warns instead of blocking. */
export const builtInAudits: readonly Audit[] = definitions.flatMap(({ name, sql, defaults }) => {
  const file: TextFile = { path: `built-in audit ${name}`, text: sql };
  const span = { start: 0, end: sql.length };
  const audit: Audit = {
    name,
    defaults: { condition: 'TRUE', ...defaults },
    blocking: true,
    skip: false,
    description: '',
    definitions: [],
    query: { file, span, text: sql },
    location: locate(file, { start: 0, end: 1 }),
  };
  return [audit, { ...audit, name: `${name}_non_blocking`, blocking: false }];
});
