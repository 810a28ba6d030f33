import { locate, type TextFile } from '../domain/location.js';
import type { Audit } from '../domain/model.js';

/**
 * The generic audits that every project has, by SQLMesh's names. Each is a query over `@this_model` that gives the rows
 * that break the promise; list arguments are expanded by `@each`-style patterns of `expandAudit`.
 */
const definitions: readonly {
  readonly name: string;
  readonly sql: string;
  readonly defaults?: Readonly<Record<string, string>>;
}[] = [
  { name: 'not_null', sql: 'SELECT * FROM @this_model WHERE @any(columns, @item IS NULL) AND @condition' },
  {
    name: 'at_least_one',
    sql: 'SELECT 1 AS no_value FROM @this_model WHERE @condition GROUP BY 1 HAVING count(@column) = 0',
  },
  {
    name: 'unique_values',
    sql: 'SELECT * FROM @this_model WHERE @condition QUALIFY @any(columns, (@item IS NOT NULL AND count(*) OVER (PARTITION BY @item) > 1))',
  },
  {
    name: 'unique_combination_of_columns',
    sql: 'SELECT @list(columns), count(*) AS rows_of_combination FROM @this_model WHERE @condition GROUP BY @list(columns) HAVING count(*) > 1',
  },
  { name: 'accepted_values', sql: 'SELECT * FROM @this_model WHERE @column NOT IN (@list(is_in)) AND @condition' },
  { name: 'not_accepted_values', sql: 'SELECT * FROM @this_model WHERE @column IN (@list(is_in)) AND @condition' },
  {
    name: 'accepted_range',
    sql: 'SELECT * FROM @this_model WHERE (CASE WHEN @inclusive THEN @column < @min_v OR @column > @max_v ELSE @column <= @min_v OR @column >= @max_v END) AND @condition',
    defaults: { inclusive: 'true', min_v: 'NULL', max_v: 'NULL' },
  },
  {
    name: 'number_of_rows',
    sql: 'SELECT count(*) AS rows_found FROM @this_model WHERE @condition HAVING count(*) <= @threshold',
  },
  { name: 'forall', sql: 'SELECT * FROM @this_model WHERE @any(criteria, NOT (@item)) AND @condition' },
  {
    name: 'not_constant',
    sql: 'SELECT count(DISTINCT @column) AS distinct_values FROM @this_model WHERE @condition HAVING count(DISTINCT @column) <= 1',
  },
  { name: 'not_empty_string', sql: "SELECT * FROM @this_model WHERE @column = '' AND @condition" },
  {
    name: 'not_null_proportion',
    sql: 'SELECT count(@column) / count(*) AS proportion FROM @this_model WHERE @condition HAVING count(@column) / count(*) <= @threshold',
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
    query: { file, span, text: sql },
    location: locate(file, { start: 0, end: 1 }),
  };
  return [audit, { ...audit, name: `${name}_non_blocking`, blocking: false }];
});
