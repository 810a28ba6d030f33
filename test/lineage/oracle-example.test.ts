import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { BoundModel, BoundProject } from '../../src/domain/bound-project.js';
import type { Column } from '../../src/domain/column.js';
import { ident, qualified, tableKey } from '../../src/domain/names.js';
import { columnKey } from '../../src/domain/query-print.js';
import { type Database, duckdb } from '../../src/effects/duckdb.js';
import { files } from '../../src/effects/files.js';
import { loadProject } from '../../src/load/load-project.js';

/** The oracle of oracle.test.ts over the example project: its models, fed with small random tables in place of their parents. */
const cacheFolder = mkdtempSync(path.join(tmpdir(), 'scilake-oracle-'));
const loaded = await loadProject({ duckdb, files, projectFolder: process.cwd(), cacheFolder });
if (!loaded.ok) throw new Error(loaded.errors.map((error) => error.message).join('\n'));
const project: BoundProject = loaded.value;
afterAll(() => rmSync(cacheFolder, { recursive: true, force: true }));

/** Tables that a model's plan scans, with their columns. */
function inputs(bound: BoundModel): ReadonlyMap<string, readonly Column[]> {
  const known = new Map<string, readonly Column[]>([
    ...project.models.map((one) => [one.model.key, one.columns] as const),
    ...project.sources.flatMap((source) =>
      source.elements.map(
        (element) =>
          [tableKey({ schema: source.source.name, table: element.table.toLowerCase() }), element.columns] as const,
      ),
    ),
  ]);
  const tables = bound.lineage.known ? bound.lineage.print.tables : [];
  return new Map(tables.map((table) => [table, known.get(table) ?? []]));
}

/** Few values, all of which can be read as numbers: the example casts its cluster labels. */
function literalOf(type: string): fc.Arbitrary<string> {
  const digit = fc.integer({ min: 0, max: 3 });
  if (type === 'VARCHAR') return digit.map((value) => `'${value}'`);
  if (type === 'BOOLEAN') return fc.constantFrom('true', 'false');
  return digit.map((value) => `${value}::${type}`);
}

type Content = ReadonlyMap<string, readonly (readonly string[])[]>;

/** Wide tables are filled in the columns that the model reads; the others cannot matter and would only take time. */
function readColumns(bound: BoundModel, table: string, columns: readonly Column[]): readonly Column[] {
  if (!bound.lineage.known) return columns;
  const { print } = bound.lineage;
  const read = new Set([...print.rows.columns, ...print.columns.flatMap((column) => column.columns)]);
  return columns.filter((column) => read.has(columnKey(table, column.name)));
}

async function outcome(
  database: Database,
  query: string,
  tables: ReadonlyMap<string, readonly Column[]>,
  content: Content,
): Promise<readonly string[]> {
  for (const [table, columns] of tables) {
    const name = table.split('.').map(ident).join('.');
    await database.run(`DELETE FROM ${name}`);
    const values = (content.get(table) ?? []).map((row) => `(${row.join(', ')})`).join(', ');
    if (columns.length > 0)
      await database.run(
        `INSERT INTO ${name} (${columns.map((column) => ident(column.name)).join(', ')}) VALUES ${values}`,
      );
  }
  const { columns, rows } = await database.table(query);
  return columns.map((_, at) =>
    rows
      .map((row) => JSON.stringify(row[at] ?? null))
      .sort()
      .join(),
  );
}

const models = project.models.filter((bound) => bound.model.query !== undefined && bound.lineage.known);

describe('in the example project, no output column changes but by its lineage', () => {
  test.each(models.map((bound) => [bound.model.key, bound] as const))('%s', async (_, bound) => {
    const database = await duckdb.open();
    try {
      const all = inputs(bound);
      for (const [table, columns] of all) {
        const [schema = '', name = ''] = table.split('.');
        await database.run(
          `CREATE SCHEMA IF NOT EXISTS ${ident(schema)}; CREATE TABLE ${qualified(schema, name)} (${columns.map((column) => `${ident(column.name)} ${column.type}`).join(', ')})`,
        );
      }
      for (const inline of project.models.filter(
        (one) => one.model.kind.storage === 'inline' && bound.parents.includes(one.model.key),
      )) {
        await database.run(
          `CREATE SCHEMA IF NOT EXISTS ${ident(inline.model.name.schema)}; CREATE VIEW ${qualified(inline.model.name.schema, inline.model.name.table)} AS ${inline.model.query?.text}`,
        );
      }
      const tables = new Map([...all].map(([table, columns]) => [table, readColumns(bound, table, columns)]));
      const places = [...tables].flatMap(([table, columns]) => columns.map((column, at) => ({ table, column, at })));
      const rowsOf = (columns: readonly Column[]): fc.Arbitrary<string[][]> =>
        fc.array(fc.tuple(...columns.map((column) => literalOf(column.type))), { minLength: 3, maxLength: 6 });
      const experiment = fc
        .tuple(
          fc.record(Object.fromEntries([...tables].map(([table, columns]) => [table, rowsOf(columns)]))),
          fc.constantFrom(...places),
        )
        .chain(([before, place]) => {
          const rows: readonly (readonly string[])[] = before[place.table] ?? [];
          return fc
            .array(literalOf(place.column.type), { minLength: rows.length, maxLength: rows.length })
            .map((values) => ({
              before: new Map(Object.entries(before)),
              after: new Map(
                Object.entries({
                  ...before,
                  [place.table]: rows.map((row, index) =>
                    row.map((cell, at) => (at === place.at ? (values[index] ?? cell) : cell)),
                  ),
                }),
              ),
              changed: columnKey(place.table, place.column.name),
            }));
        });
      const { lineage } = bound;
      if (!lineage.known) throw new Error(lineage.reason);
      await fc.assert(
        fc.asyncProperty(experiment, async ({ before, after, changed }) => {
          const [was, is] = [
            await outcome(database, bound.model.query?.text ?? '', tables, before),
            await outcome(database, bound.model.query?.text ?? '', tables, after),
          ];
          const unexplained = lineage.print.columns.filter(
            (column, at) =>
              was[at] !== is[at] && !column.sources.includes(changed) && !lineage.print.rowSources.includes(changed),
          );
          expect(
            unexplained.map((column) => column.name),
            `changed by ${changed}`,
          ).toEqual([]);
        }),
        { numRuns: 40, seed: 20_261_123 },
      );
    } finally {
      database.close();
    }
  });
});
