import * as path from 'node:path';
import { fail, succeed } from '../../domain/diagnostic.js';
import type { Format } from '../format.js';
import { tableOfFile } from '../names.js';
import { type ColumnFacts, fileFacts, rowsOf } from './parquet/facts.js';
import { wrongPages } from './parquet/pages.js';
import { castError, lost, planOf, unreadable, versionOf, withDatabase } from './parquet/plan.js';
import { rewrite, storedColumns } from './parquet/rewrite.js';
import { convertTogether, inspectTogether } from './parquet/together.js';

const ENDINGS: readonly string[] = ['.parquet', '.parq', '.pq'];
const MAGIC = 'PAR1';

/**
 * Parquet files of any writer. One whose types the lake can hold is kept byte for byte, once every row group has been
 * read; another is written anew.
 */
export const parquet: Format = {
  name: 'parquet',
  endings: ENDINGS,
  options: [],
  together: { inspect: inspectTogether, convert: convertTogether },

  recognise({ fileName, fileNames, head }) {
    const magic = Buffer.from(head.subarray(0, 4)).toString('latin1');
    // What follows is a struct of Thrift: a table of texts may have a column PAR1, but no such character in its name.
    if (magic === MAGIC && (head[4] ?? 0x20) < 0x20) return 'by content';
    return fileNames === undefined && ENDINGS.some((ending) => fileName.endsWith(ending)) ? 'by name' : undefined;
  },

  async inspect(raw, effects) {
    return withDatabase(raw, effects, async (database) => {
      const plan = await planOf(raw, database, tableOfFile(raw.file, ENDINGS));
      return plan.ok ? succeed([plan.value.schema]) : plan;
    });
  },

  async convert(raw, folder, effects) {
    return withDatabase(raw, effects, async (database) => {
      const planned = await planOf(raw, database, tableOfFile(raw.file, ENDINGS));
      if (!planned.ok) return planned;
      const { schema, columns, warnings } = planned.value;
      const fileName = `${schema.table}.parquet`;
      const file = path.join(folder, fileName);
      // The copy is what is read from here on, and what is registered: DuckLake deletes its files one day.
      const copy = path.join(folder, '.copy');
      effects.files.copy(raw.file, copy);
      const damage = await wrongPages(database, copy);
      if (damage !== undefined) return fail(unreadable(raw, damage));
      const facts = await fileFacts(database, copy, columns);
      if (facts.problem !== undefined) return fail(unreadable(raw, facts.problem));
      const changed = columns.filter(({ name, original, type, stored }) => name !== original || type !== stored);
      const untrue = facts.untrueStatistics.map(
        (name) => `column "${name}": the statistics of the file are not true of its values, so it was written anew`,
      );
      if (changed.length === 0 && untrue.length === 0) effects.files.rename(copy, file);
      else {
        const query = `SELECT ${storedColumns(columns).join(', ')} FROM ${rowsOf(copy)}`;
        const names = columns.map(({ name }) => name);
        const problem = await rewrite(database, { query, to: file, names });
        if (problem !== undefined) return fail(problem.code === 'cast' ? castError(raw, problem.message) : lost(raw));
        effects.files.remove(copy);
      }
      const isKept = changed.length === 0 && untrue.length === 0;
      return succeed({
        elements: [{ ...schema, file: fileName, rows: facts.rowCount }],
        manifest: {
          format: 'scilake-table/1',
          tools: { duckdb: await versionOf(database) },
          kept: isKept ? 'as it is' : 'written anew',
          elements: [
            {
              path: schema.path,
              file: fileName,
              kind: schema.kind,
              rows: facts.rowCount,
              row_groups: facts.rowGroupCount,
              columns: columns.map(({ original, name, type, stored }, i) => ({
                name: original,
                col: name,
                type: stored,
                ...(type === stored ? {} : { source_type: type }),
                ...described(facts.columns[i]),
              })),
            },
          ],
        },
        warnings: [...warnings, ...untrue],
      });
    });
  },
};

function described(facts: ColumnFacts | undefined): Readonly<Record<string, string | number | null>> {
  if (facts === undefined) return {};
  const { nullCount, min, max, sum } = facts;
  return {
    nulls: nullCount,
    ...(min === undefined ? {} : { min, max: max ?? null }),
    ...(sum === undefined ? {} : { sum }),
  };
}
