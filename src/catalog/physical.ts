import type { Column } from '../domain/column.js';
import { ident, inLake, LAKE, literal, qualified } from '../domain/names.js';
import { physicalTable, type Snapshot } from '../domain/snapshot.js';
import type { Step } from '../domain/step.js';
import type { Transaction } from './lake-session.js';

/** Makes the empty table of a version, laid out as its model asks for. Nothing happens when it is there already. */
export async function createPhysicalTable(
  transaction: Transaction,
  snapshot: Snapshot,
  version: string,
): Promise<void> {
  const name = physicalTable(snapshot, version);
  const table = inLake(name);
  await transaction.run(`CREATE SCHEMA IF NOT EXISTS ${qualified(LAKE, name.schema)}`);
  await transaction.run(`CREATE TABLE IF NOT EXISTS ${table} (${snapshot.columns.map(definition).join(', ')})`);
  const partitions = textList(snapshot.definition.partitionedBy);
  if (partitions.length > 0)
    await transaction.run(`ALTER TABLE ${table} SET PARTITIONED BY (${partitions.join(', ')})`);
  const order = textList(snapshot.definition.clusteredBy);
  if (order.length > 0)
    await transaction.run(`ALTER TABLE ${table} SET SORTED BY (${order.map((term) => `${term} ASC`).join(', ')})`);
  const description = snapshot.definition.description;
  if (typeof description === 'string' && description !== '')
    await transaction.run(`COMMENT ON TABLE ${table} IS ${literal(description)}`);
  for (const [column, text] of columnDescriptions(snapshot)) {
    await transaction.run(`COMMENT ON COLUMN ${table}.${ident(column)} IS ${literal(text)}`);
  }
}

/** Makes the physical view of a version. Its text names tables in three parts, so that any ATTACH name serves later. */
export async function createPhysicalView(
  transaction: Transaction,
  snapshot: Snapshot,
  view: { readonly version: string; readonly body: string },
): Promise<void> {
  const name = physicalTable(snapshot, view.version);
  await transaction.run(`CREATE SCHEMA IF NOT EXISTS ${qualified(LAKE, name.schema)}`);
  await transaction.run(
    `CREATE OR REPLACE VIEW ${inLake(name)} (${snapshot.columns.map((column) => ident(column.name)).join(', ')}) AS\n${view.body}`,
  );
}

/** Changes the columns of a table in place, for a forward-only change. */
export async function alterPhysicalTable(
  transaction: Transaction,
  table: {
    readonly snapshot: Snapshot;
    readonly change: Extract<Step, { readonly type: 'alter' }>;
  },
): Promise<void> {
  const { snapshot, change } = table;
  const { version, adds, drops, renames, fields } = change;
  const name = inLake(physicalTable(snapshot, version));
  const present = await transaction.rows(`SELECT * FROM (DESCRIBE ${name})`);
  const has = new Set(present.map((row) => String(row.column_name).toLowerCase()));
  for (const { from, to } of renames) {
    if (!has.delete(from.toLowerCase())) continue;
    has.add(to.toLowerCase());
    await transaction.run(`ALTER TABLE ${name} RENAME COLUMN ${ident(from)} TO ${ident(to)}`);
  }
  for (const column of drops) {
    if (has.delete(column.toLowerCase())) await transaction.run(`ALTER TABLE ${name} DROP COLUMN ${ident(column)}`);
  }
  for (const column of snapshot.columns.filter((candidate) => adds.includes(candidate.name))) {
    const alteration = has.has(column.name.toLowerCase())
      ? `ALTER COLUMN ${ident(column.name)} SET DATA TYPE ${column.type}`
      : `ADD COLUMN ${definition(column)}`;
    await transaction.run(`ALTER TABLE ${name} ${alteration}`);
  }
  for (const { path, type } of fields)
    await transaction.run(`ALTER TABLE ${name} ADD COLUMN ${path.map(ident).join('.')} ${type}`);
}

function definition(column: Column): string {
  return `${ident(column.name)} ${column.type}`;
}

function textList(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function columnDescriptions(snapshot: Snapshot): readonly (readonly [string, string])[] {
  const described = snapshot.definition.columnDescriptions;
  if (typeof described !== 'object' || described === null || Array.isArray(described)) return [];
  const names = new Map(snapshot.columns.map((column) => [column.name.toLowerCase(), column.name]));
  return Object.entries(described).flatMap(([column, text]) => {
    const name = names.get(column);
    return name === undefined || typeof text !== 'string' ? [] : [[name, text] as const];
  });
}
