import type { Column } from '../domain/column.js';
import { DiagnosticError } from '../domain/diagnostic.js';
import { ident, inLake, LAKE, literal, type TableName } from '../domain/names.js';
import { schemaDiff } from '../domain/schema-diff.js';
import { physicalTable } from '../domain/snapshot.js';
import type { Database } from '../effects/duckdb.js';
import { currentSnapshotId, environmentAt, type Moment, snapshotAt } from './state-at.js';

/** An environment, now or at a moment. */
export interface DiffSide {
  readonly environment: string;
  readonly moment?: Moment;
}

export interface ModelDifference {
  readonly model: string;
  readonly status: 'added' | 'removed' | 'changed';
  /** `+ column TYPE`, `- column`, `~ column OLD -> NEW`. */
  readonly schema: readonly string[];
  readonly rows: {
    /** Null where the side has no such table. */
    readonly before: number | null;
    readonly after: number | null;
    /** Undefined where nobody asked, or one side has no table. */
    readonly detail?:
      | { readonly by: 'change feed'; readonly inserted: number; readonly updated: number; readonly deleted: number }
      /** Whole rows over the columns of both, each as often as it is there. */
      | { readonly by: 'comparison'; readonly onlyBefore: number; readonly onlyAfter: number };
  };
}

interface SideTable {
  readonly physical: TableName;
  /** What stands behind FROM. */
  readonly sql: string;
  readonly columns: readonly Column[];
  readonly storage: 'table' | 'view';
}

/**
 * How the models of two environments, or of two moments of one, differ: columns, and rows. Rows of a table that both
 * sides share and that was changed in place are told by DuckLake's change feed; others are compared.
 */
export async function modelDifferences(
  database: Database,
  request: {
    readonly before: DiffSide;
    readonly after: DiffSide;
    /** None: all. */
    readonly models: readonly string[];
    readonly withRows: boolean;
  },
): Promise<readonly ModelDifference[]> {
  const before = await tablesOf(database, request.before);
  const after = await tablesOf(database, request.after);
  const keys = [...new Set([...before.tables.keys(), ...after.tables.keys()])].sort();
  const unknown = request.models.filter((model) => !keys.includes(model));
  if (unknown.length > 0)
    throw new DiagnosticError(
      unknown.map((model) => ({
        code: 'SL0409',
        severity: 'error',
        message: `neither side has a table of model "${model}"`,
        hint: keys.length === 0 ? 'scilake environments lists what there is' : `there are ${keys.join(', ')}`,
      })),
    );
  const found: ModelDifference[] = [];
  for (const model of keys) {
    if (request.models.length > 0 && !request.models.includes(model)) continue;
    const difference = await differenceOf(database, model, {
      was: before.tables.get(model),
      is: after.tables.get(model),
      from: before.snapshotId,
      to: after.snapshotId,
      withRows: request.withRows,
    });
    if (difference !== undefined) found.push(difference);
  }
  return found;
}

async function differenceOf(
  database: Database,
  model: string,
  sides: {
    readonly was: SideTable | undefined;
    readonly is: SideTable | undefined;
    readonly from: number;
    readonly to: number;
    readonly withRows: boolean;
  },
): Promise<ModelDifference | undefined> {
  const { was, is, from, to, withRows } = sides;
  const schema = schemaDiff(was?.columns ?? [], is?.columns ?? []);
  const counted = async (table: SideTable | undefined): Promise<number | null> => {
    if (table === undefined) return null;
    const [row] = await database.rows(`SELECT count(*) AS n FROM ${table.sql}`);
    return Number(row?.n);
  };
  if (was === undefined || is === undefined) {
    const rows = { before: await counted(was), after: await counted(is) };
    return { model, status: was === undefined ? 'added' : 'removed', schema: [], rows };
  }
  const isShared = was.storage === 'table' && inLake(was.physical) === inLake(is.physical);
  const isLater = isShared && from < to;
  const feed = isLater ? await changesBetween(database, is.physical, { from, to }) : undefined;
  const nothingHappened = { by: 'change feed' as const, inserted: 0, updated: 0, deleted: 0 };
  // One table at one moment is one table; which side is the later one makes no difference to that.
  const byFeed = feed ?? (isShared && from === to ? nothingHappened : undefined);
  if (byFeed !== undefined && schema.length === 0 && byFeed.inserted + byFeed.updated + byFeed.deleted === 0)
    return undefined;
  const detail = byFeed ?? (await compared(database, was, is));
  if (schema.length === 0 && detail.by === 'comparison' && detail.onlyBefore + detail.onlyAfter === 0) return undefined;
  const rows = { before: await counted(was), after: await counted(is), ...(withRows ? { detail } : {}) };
  return { model, status: 'changed', schema, rows };
}

async function changesBetween(
  database: Database,
  { schema, table }: TableName,
  { from, to }: { readonly from: number; readonly to: number },
) {
  const rows = await database.rows(
    `SELECT change_type, count(*) AS n FROM ducklake_table_changes(${[LAKE, schema, table].map(literal).join(', ')}, ${from + 1}, ${to}) GROUP BY ALL`,
  );
  const count = (type: string): number => Number(rows.find((row) => row.change_type === type)?.n ?? 0);
  return {
    by: 'change feed' as const,
    inserted: count('insert'),
    updated: count('update_postimage'),
    deleted: count('delete'),
  };
}

/** Rows that only one side has, over the columns that both have. */
async function compared(database: Database, was: SideTable, is: SideTable) {
  const has = new Set(is.columns.map(({ name }) => name.toLowerCase()));
  const columns = was.columns.filter(({ name }) => has.has(name.toLowerCase())).map(({ name }) => ident(name));
  if (columns.length === 0) return { by: 'comparison' as const, onlyBefore: 0, onlyAfter: 0 };
  const list = columns.join(', ');
  const only = async (one: SideTable, other: SideTable): Promise<number> => {
    const [row] = await database.rows(
      `SELECT count(*) AS n FROM (SELECT ${list} FROM ${one.sql} EXCEPT ALL SELECT ${list} FROM ${other.sql})`,
    );
    return Number(row?.n);
  };
  return { by: 'comparison' as const, onlyBefore: await only(was, is), onlyAfter: await only(is, was) };
}

async function tablesOf(
  database: Database,
  { environment: name, moment }: DiffSide,
): Promise<{ readonly snapshotId: number; readonly tables: ReadonlyMap<string, SideTable> }> {
  const snapshotId =
    moment === undefined ? await currentSnapshotId(database) : await snapshotAt(database, moment, `"${name}" then`);
  const found = await environmentAt(database, name, snapshotId);
  if (found === undefined)
    throw new DiagnosticError([
      {
        code: 'SL0710',
        severity: 'error',
        message: `there ${moment === undefined ? 'is' : 'was'} no environment "${name}" in the lake${moment === undefined ? '' : ` at snapshot ${snapshotId}`}`,
        hint: 'scilake environments lists them, scilake log what became of them',
      },
    ]);
  const tables = new Map<string, SideTable>();
  for (const [key, { fingerprint, version }] of Object.entries(found.environment.models)) {
    const snapshot = found.state.snapshots.get(fingerprint);
    if (snapshot === undefined || (snapshot.storage !== 'table' && snapshot.storage !== 'view')) continue;
    const physical = physicalTable(snapshot, version);
    const at = moment === undefined ? '' : ` AT (VERSION => ${snapshotId})`;
    const sql = `${inLake(physical)}${at}`;
    tables.set(key, {
      physical,
      sql,
      storage: snapshot.storage,
      columns: await database.describe(`SELECT * FROM ${sql}`),
    });
  }
  return { snapshotId, tables };
}
