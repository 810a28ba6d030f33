import { fail, type Result, succeed } from '../../domain/diagnostic.js';
import { ident } from '../../domain/names.js';
import type { Database } from '../../effects/duckdb.js';
import { convertError } from '../format.js';
import type { AnnDataTables } from './export-anndata.js';
import type { Manifest, ManifestElement } from './manifest.js';

/** Tables without a manifest: a model's, and those of the cells and genes that it is about. Each as SQL that can be read from. */
export interface TableChoice {
  readonly displayName: string;
  readonly relation: string;
  readonly obs?: string;
  readonly vars?: string;
}

interface Axis {
  readonly path: 'obs' | 'var';
  readonly key: 'cell_idx' | 'gene_idx';
  readonly name: 'obs_name' | 'var_name';
}

const CELLS: Axis = { path: 'obs', key: 'cell_idx', name: 'obs_name' };
const GENES: Axis = { path: 'var', key: 'gene_idx', name: 'var_name' };

/**
 * Takes a table for what its columns say: with `cell_idx`, `gene_idx` and `value` it is X, with `cell_idx` alone the
 * cells (`obs`), with `gene_idx` alone the genes (`var`). Cells and genes that no table describes get their numbers as names.
 *
 * @returns SL0666 for a table of another shape
 */
export async function tablesOf(choice: TableChoice, database: Database): Promise<Result<AnnDataTables>> {
  const names = new Set(
    (await database.describe(`SELECT * FROM ${choice.relation}`)).map(({ name }) => name.toLowerCase()),
  );
  const isMatrix = names.has('cell_idx') && names.has('gene_idx') && names.has('value');
  const isObs = names.has('cell_idx') && !names.has('gene_idx');
  const isVar = names.has('gene_idx') && !names.has('cell_idx');
  if (!isMatrix && !isObs && !isVar) {
    return fail(
      convertError(
        'SL0666',
        `${choice.displayName} has not the shape of a matrix, of cells or of genes: its columns are ${[...names].join(', ')}`,
        'give X as cell_idx, gene_idx and value; cells as cell_idx, obs_name and more; genes as gene_idx, var_name and more',
      ),
    );
  }
  const tables = { obs: isObs ? choice.relation : choice.obs, vars: isVar ? choice.relation : choice.vars };
  const relations = new Map<string, string>();
  const lengths = new Map<string, number>();
  for (const [axis, table] of [
    [CELLS, tables.obs],
    [GENES, tables.vars],
  ] as const) {
    const counted = table ?? (isMatrix ? choice.relation : undefined);
    const measure = table === undefined ? `coalesce(max(${axis.key}), -1) + 1` : 'count(*)';
    const [row] = counted === undefined ? [{ n: 0 }] : await database.rows(`SELECT ${measure} AS n FROM ${counted}`);
    const length = Number(row?.n);
    lengths.set(axis.path, length);
    relations.set(axis.path, table === undefined ? numbered(axis, length) : await named(axis, table, database));
  }
  const [cellCount, geneCount] = [lengths.get('obs') ?? 0, lengths.get('var') ?? 0];
  if (isMatrix) relations.set('X', choice.relation);
  const element = (path: string): ManifestElement => ({
    path,
    table: path,
    kind: path === 'X' ? 'csr' : 'dataframe',
    dtype: '',
    shape: path === 'X' ? [cellCount, geneCount] : [],
    indexName: null,
    columns: [],
  });
  const manifest: Manifest = {
    cellCount,
    geneCount,
    sourceFormat: 'model',
    elements: ['obs', 'var', ...(isMatrix ? ['X'] : [])].map(element),
  };
  return succeed({ manifest, database, relation: ({ path }) => relations.get(path) ?? '' });
}

/** A table of an axis with its key and its names in front. */
async function named({ key, name }: Axis, table: string, database: Database): Promise<string> {
  const columns = await database.describe(`SELECT * FROM ${table}`);
  const hasName = columns.some((column) => column.name.toLowerCase() === name);
  const rest = columns.filter((column) => ![key, name].some((own) => own === column.name.toLowerCase()));
  const expressions = [
    `CAST(${key} AS INTEGER) AS ${key}`,
    `CAST(${hasName ? name : key} AS VARCHAR) AS ${name}`,
    ...rest.map((column) => ident(column.name)),
  ];
  return `(SELECT ${expressions.join(', ')} FROM ${table})`;
}

function numbered({ key, name }: Axis, length: number): string {
  return `(SELECT CAST(i AS INTEGER) AS ${key}, CAST(i AS VARCHAR) AS ${name} FROM range(${length}) AS numbers(i))`;
}
