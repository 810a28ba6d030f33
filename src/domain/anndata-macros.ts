import { literal, tableKey } from './names.js';

/**
 * SQL that reads as the field speaks: table macros over the tables of an AnnData source. A macro's first argument is the
 * source's name, which is a schema; `layer` names the matrix: `X`, `raw` or a layer.
 */
export interface AnnDataMacro {
  readonly name: string;
  /** In their order; those without a default must be given. */
  readonly parameters: readonly { readonly name: string; readonly byDefault?: string }[];
  /** Its query. `table`: SQL to read a table from; `argument`: SQL of an argument's value. */
  body(table: (role: TableRole) => string, argument: (name: string) => string): string;
}

/** The tables of a source that macros read: a matrix, the genes along it, the cells. */
export type TableRole = 'matrix' | 'genes' | 'cells';

/** A call as it stands in a query, as far as its arguments are constants. */
export interface MacroCall {
  readonly name: string;
  /** SQL of the constants by parameter; undefined for an argument that is computed. */
  readonly arguments: Readonly<Record<string, MacroArgument>>;
  /** Where its name starts, in UTF-8 bytes; undefined where DuckDB does not say. */
  readonly byteOffset: number | undefined;
}

export type MacroArgument = string | number | null;

const SOURCE = { name: 'source' };
const LAYER = { name: 'layer', byDefault: "'X'" };

export const anndataMacros: readonly AnnDataMacro[] = [
  {
    name: 'anndata_x',
    parameters: [SOURCE, { name: 'gene', byDefault: 'NULL' }, { name: 'cell', byDefault: 'NULL' }, LAYER],
    body: (table, argument) =>
      `SELECT c.cell_idx, g.gene_idx, c.obs_name, g.var_name, m."value"
FROM ${table('matrix')} AS m
JOIN ${table('genes')} AS g ON g.gene_idx = m.gene_idx
JOIN ${table('cells')} AS c ON c.cell_idx = m.cell_idx
WHERE (${argument('gene')} IS NULL OR g.var_name = ${argument('gene')})
  AND (${argument('cell')} IS NULL OR c.obs_name = ${argument('cell')})`,
  },
  {
    name: 'anndata_pseudobulk',
    parameters: [SOURCE, { name: 'group_by' }, LAYER],
    // Cells without a group are left out, as pandas and scanpy do. Genes that a group has no entry of count as zero.
    body: (table, argument) =>
      `WITH grouped AS (
  SELECT COLUMNS(name -> lower(name) = lower(${argument('group_by')})) AS group_name, cell_idx
  FROM ${table('cells')}
), sizes AS (
  SELECT group_name, count(*) AS n_cells
  FROM grouped
  WHERE group_name IS NOT NULL
  GROUP BY group_name
), sums AS (
  SELECT d.group_name, m.gene_idx, sum(CAST(m."value" AS DOUBLE)) AS total, count(*) FILTER (WHERE m."value" > 0) AS n_expressing
  FROM ${table('matrix')} AS m
  JOIN grouped AS d ON d.cell_idx = m.cell_idx
  GROUP BY d.group_name, m.gene_idx
)
SELECT
  s.group_name,
  g.gene_idx,
  g.var_name,
  s.n_cells,
  coalesce(t.total, 0) AS sum,
  coalesce(t.total, 0) / s.n_cells AS mean,
  coalesce(t.n_expressing, 0) / s.n_cells AS fraction
FROM sizes AS s
CROSS JOIN ${table('genes')} AS g
LEFT JOIN sums AS t ON t.group_name = s.group_name AND t.gene_idx = g.gene_idx`,
  },
  {
    name: 'anndata_top_genes',
    parameters: [SOURCE, { name: 'rank_by', byDefault: "'mean'" }, { name: 'n', byDefault: '20' }, LAYER],
    // Over all cells, those without an entry as zero; the variance is that of a sample (ddof 1), as in scanpy.
    body: (table, argument) =>
      `WITH size AS (
  SELECT count(*) AS n_cells
  FROM ${table('cells')}
), sums AS (
  SELECT
    m.gene_idx,
    sum(CAST(m."value" AS DOUBLE)) AS total,
    sum(CAST(m."value" AS DOUBLE) * CAST(m."value" AS DOUBLE)) AS squares,
    count(*) FILTER (WHERE m."value" > 0) AS n_expressing
  FROM ${table('matrix')} AS m
  GROUP BY m.gene_idx
), moments AS (
  SELECT
    g.gene_idx,
    g.var_name,
    coalesce(t.total, 0) / z.n_cells AS mean,
    (coalesce(t.squares, 0) - coalesce(t.total, 0) * coalesce(t.total, 0) / z.n_cells) / nullif(z.n_cells - 1, 0) AS variance,
    coalesce(t.n_expressing, 0) / z.n_cells AS fraction
  FROM ${table('genes')} AS g
  CROSS JOIN size AS z
  LEFT JOIN sums AS t ON t.gene_idx = g.gene_idx
), scored AS (
  SELECT
    moments.*,
    variance / nullif(mean, 0) AS dispersion,
    CASE lower(${argument('rank_by')})
      WHEN 'mean' THEN mean
      WHEN 'variance' THEN variance
      WHEN 'dispersion' THEN variance / nullif(mean, 0)
      WHEN 'fraction' THEN fraction
      ELSE error('anndata_top_genes ranks by mean, variance, dispersion or fraction')
    END AS score
  FROM moments
), ranked AS (
  SELECT scored.*, row_number() OVER (ORDER BY score DESC NULLS LAST, gene_idx) AS rank
  FROM scored
)
SELECT rank, gene_idx, var_name, mean, variance, dispersion, fraction
FROM ranked
WHERE rank <= ${argument('n')}
ORDER BY rank`,
  },
];

/** The statements that define the macros in the current catalog. `query_table` finds the tables when a call is bound. */
export function macroDefinitions(): readonly string[] {
  return anndataMacros.map((macro) => {
    const parameters = macro.parameters.map(({ name, byDefault }) =>
      byDefault === undefined ? name : `${name} := ${byDefault}`,
    );
    const body = macro.body(
      (role) => `query_table(source || ${TABLE_OF[role]})`,
      (name) => name,
    );
    return `CREATE OR REPLACE MACRO ${macro.name}(${parameters.join(', ')}) AS TABLE\n${body}`;
  });
}

/** Table names as SQL over the argument `layer`; keys become table names as the converter makes them. */
const TABLE_OF: Readonly<Record<TableRole, string>> = {
  matrix:
    "CASE lower(layer) WHEN 'x' THEN '.x' WHEN 'raw' THEN '.raw_x' ELSE '.layers__' || lower(regexp_replace(layer, '[^A-Za-z0-9_]', '_', 'g')) END",
  genes: "CASE lower(layer) WHEN 'raw' THEN '.raw_var' ELSE '.var' END",
  cells: "'.obs'",
};

function tableOf(role: TableRole, source: string, layer: string): string {
  const matrix = layer === 'x' ? 'x' : layer === 'raw' ? 'raw_x' : `layers__${layer.replaceAll(/[^a-z0-9_]/g, '_')}`;
  const table = { matrix, genes: layer === 'raw' ? 'raw_var' : 'var', cells: 'obs' }[role];
  return tableKey({ schema: source.toLowerCase(), table });
}

/** The tables that a call reads, by their keys. */
export function tablesOfCall(call: MacroCall): readonly string[] {
  const roles: readonly TableRole[] = ['matrix', 'genes', 'cells'];
  return roles.map((role) => tableOfCall(call, role));
}

function tableOfCall({ arguments: given }: MacroCall, role: TableRole): string {
  return tableOf(role, String(given.source ?? ''), String(given.layer ?? 'X').toLowerCase());
}

/**
 * The query behind a call, with tables named otherwise: for a view, which outlives the catalog that the macros are in.
 *
 * @param table  SQL for a table's key; undefined when there is none
 * @returns undefined where the macro or one of its tables is not known
 */
export function expandedCall(call: MacroCall, table: (key: string) => string | undefined): string | undefined {
  const macro = anndataMacros.find(({ name }) => name === call.name);
  if (macro === undefined) return undefined;
  const missing = tablesOfCall(call).some((key) => table(key) === undefined);
  if (missing) return undefined;
  const body = macro.body(
    (role) => table(tableOfCall(call, role)) ?? '',
    (name) => {
      const given = call.arguments[name];
      const { byDefault = 'NULL' } = macro.parameters.find((parameter) => parameter.name === name) ?? {};
      if (given === undefined) return byDefault;
      return given === null ? 'NULL' : typeof given === 'number' ? String(given) : literal(given);
    },
  );
  return `(${body}\n)`;
}
