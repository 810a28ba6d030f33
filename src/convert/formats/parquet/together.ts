import * as path from 'node:path';
import type { ElementSchema } from '../../../domain/convert.js';
import { type Diagnostic, fail, type Result, succeed } from '../../../domain/diagnostic.js';
import { fileLiteral, ident } from '../../../domain/names.js';
import { FILE_NAME_OPTION, fileNameColumn } from '../../file-name-column.js';
import {
  type ConvertEffects,
  convertError,
  firstRaw,
  type RawFile,
  type TableFiles,
  type WrittenFormat,
} from '../../format.js';
import { Namer } from '../../names.js';
import { fileFacts, rowsOf } from './facts.js';
import { wrongPages } from './pages.js';
import { castError, lost, type PlannedColumn, planOf, unreadable, versionOf, withDatabase } from './plan.js';
import { rewrite, storedColumns } from './rewrite.js';

/** Files with the columns of each, and those of the table that they make. */
interface TogetherPlan {
  readonly schema: ElementSchema;
  readonly parts: readonly { readonly raw: RawFile; readonly columns: readonly PlannedColumn[] }[];
  /** What the column with the names of the files is called, where one is wanted. */
  readonly fileNameColumn: string | undefined;
  readonly warnings: readonly string[];
}

/** The one table that several Parquet files make, from their footers. */
export async function inspectTogether(
  files: TableFiles,
  effects: ConvertEffects,
): Promise<Result<readonly ElementSchema[]>> {
  const plan = await planTogether(files, effects);
  return plan.ok ? succeed([plan.value.schema]) : plan;
}

/** Reads every page of every file, and writes them as one: a table in the lake is registered from one file. */
export async function convertTogether(
  files: TableFiles,
  folder: string,
  effects: ConvertEffects,
): Promise<Result<WrittenFormat>> {
  const planned = await planTogether(files, effects);
  if (!planned.ok) return planned;
  const { schema, parts, warnings } = planned.value;
  let rowCount = 0;
  for (const { raw, columns } of parts) {
    const checked = await withDatabase(raw, effects, async (database) => {
      const damage = await wrongPages(database, raw.file);
      if (damage !== undefined) return fail(unreadable(raw, damage));
      const facts = await fileFacts(database, raw.file, columns);
      return facts.problem === undefined ? succeed(facts) : fail(unreadable(raw, facts.problem));
    });
    if (!checked.ok) return checked;
    const [untrue] = checked.value.untrueStatistics;
    if (untrue !== undefined)
      return fail(unreadable(raw, `the statistics of column "${untrue}" are not those of its values`));
    rowCount += checked.value.rowCount;
  }
  const fileName = `${schema.table}.parquet`;
  const raw = firstRaw(files);
  return withDatabase(raw, effects, async (database) => {
    const names = schema.columns.map(({ name }) => name);
    const query = unionOf(planned.value, files.fileNames);
    const problem = await rewrite(database, { query, to: path.join(folder, fileName), names });
    if (problem !== undefined) return fail(problem.code === 'cast' ? castError(raw, problem.message) : lost(raw));
    return succeed({
      elements: [{ ...schema, file: fileName, rows: rowCount }],
      manifest: {
        format: 'scilake-table/1',
        tools: { duckdb: await versionOf(database) },
        kept: 'written anew',
        elements: [
          {
            path: schema.path,
            file: fileName,
            kind: schema.kind,
            rows: rowCount,
            columns: schema.columns.map(({ name, type }) => ({ name, col: name, type })),
          },
        ],
      },
      warnings,
    });
  });
}

async function planTogether(files: TableFiles, effects: ConvertEffects): Promise<Result<TogetherPlan>> {
  const parts: { readonly raw: RawFile; readonly columns: readonly PlannedColumn[] }[] = [];
  const warnings = new Set<string>();
  for (const raw of files.raws) {
    const plan = await withDatabase(raw, effects, (database) => planOf(raw, database, files.table));
    if (!plan.ok) return plan;
    parts.push({ raw, columns: plan.value.columns });
    for (const warning of plan.value.warnings) warnings.add(warning);
  }
  const united = unite(parts);
  if (!united.ok) return united;
  const fileNameColumn =
    files.fileNames === undefined ? undefined : new Namer(united.value.map(({ name }) => name)).name('filename');
  const added = fileNameColumn === undefined ? [] : [{ name: fileNameColumn, type: 'VARCHAR' }];
  const schema: ElementSchema = {
    path: 'table',
    table: files.table,
    kind: 'table',
    columns: [...united.value, ...added],
  };
  const typeOf = new Map(united.value.map(({ name, type }) => [name.toLowerCase(), { name, type }]));
  return succeed({
    schema,
    // Each file is read with the types of the table, and its own spelling of a name gives way to that of the first.
    parts: parts.map(({ raw, columns }) => ({
      raw,
      columns: columns.map((column) => {
        const whole = typeOf.get(column.name.toLowerCase());
        return { ...column, name: whole?.name ?? column.name, stored: whole?.type ?? column.stored };
      }),
    })),
    fileNameColumn,
    warnings: [...warnings],
  });
}

/** Columns by their names, equal but for case is equal. Types are widened only where every value stays what it is. */
function unite(
  parts: readonly { readonly raw: RawFile; readonly columns: readonly PlannedColumn[] }[],
): Result<readonly { readonly name: string; readonly type: string }[]> {
  const found = new Map<string, { name: string; type: string; from: string; isEmpty: boolean }>();
  const problems: Diagnostic[] = [];
  for (const { raw, columns } of parts) {
    for (const { name, type, stored } of columns) {
      const isEmpty = type === 'NULL';
      const before = found.get(name.toLowerCase());
      if (before === undefined) found.set(name.toLowerCase(), { name, type: stored, from: raw.displayName, isEmpty });
      else if (before.isEmpty && !isEmpty)
        found.set(name.toLowerCase(), { ...before, type: stored, from: raw.displayName, isEmpty });
      else if (!isEmpty) {
        const wide = wider(before.type, stored);
        if (wide !== undefined) found.set(name.toLowerCase(), { ...before, type: wide });
        else
          problems.push(
            convertError(
              'SL0657',
              `column "${name}" is ${before.type} in ${before.from}, and ${stored} in ${raw.displayName}`,
              'declare a source for each kind of file, and bring them together in a model',
            ),
          );
      }
    }
  }
  return problems.length > 0
    ? fail(...problems)
    : succeed([...found.values()].map(({ name, type }) => ({ name, type })));
}

/** Types with those of whose values they lose none, the narrowest first. */
const HOLDS: readonly (readonly [string, ReadonlySet<string>])[] = [
  ['USMALLINT', new Set(['UTINYINT'])],
  ['SMALLINT', new Set(['TINYINT', 'UTINYINT'])],
  ['UINTEGER', new Set(['UTINYINT', 'USMALLINT'])],
  ['INTEGER', new Set(['TINYINT', 'SMALLINT', 'UTINYINT', 'USMALLINT'])],
  ['UBIGINT', new Set(['UTINYINT', 'USMALLINT', 'UINTEGER'])],
  ['BIGINT', new Set(['TINYINT', 'SMALLINT', 'INTEGER', 'UTINYINT', 'USMALLINT', 'UINTEGER'])],
  ['FLOAT', new Set(['TINYINT', 'SMALLINT', 'UTINYINT', 'USMALLINT'])],
  ['DOUBLE', new Set(['TINYINT', 'SMALLINT', 'INTEGER', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'FLOAT'])],
];

/** The narrowest type that holds every value of both; undefined where there is none. */
function wider(one: string, other: string): string | undefined {
  if (one === other) return one;
  return HOLDS.find(([type, held]) => [one, other].every((given) => given === type || held.has(given)))?.[0];
}

/** All rows. Files of one layout are read by one call: a call for each would be planned for long. */
function unionOf({ schema, parts, fileNameColumn: added }: TogetherPlan, fileNames: TableFiles['fileNames']): string {
  const groups = new Map<string, { readonly columns: readonly PlannedColumn[]; readonly files: string[] }>();
  for (const { raw, columns } of parts) {
    const key = JSON.stringify(columns);
    const group = groups.get(key) ?? { columns, files: [] };
    group.files.push(raw.file);
    groups.set(key, group);
  }
  const raws = parts.map(({ raw }) => raw);
  const file = added === undefined ? [] : [fileNameColumn(raws, fileNames ?? [], added)];
  const selects = [...groups.values()].map(({ columns, files }) => {
    const list = `[${files.map((one) => fileLiteral(one)).join(', ')}]`;
    const named = added === undefined ? '' : `, ${FILE_NAME_OPTION}`;
    return `SELECT ${[...storedColumns(columns), ...file].join(', ')} FROM ${rowsOf(list, named, 'list')}`;
  });
  const order = schema.columns.map(({ name }) => ident(name)).join(', ');
  return `SELECT ${order} FROM (${selects.join(' UNION ALL BY NAME ')})`;
}
