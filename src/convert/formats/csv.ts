import * as path from 'node:path';
import type { Column } from '../../domain/column.js';
import type { ElementSchema } from '../../domain/convert.js';
import { type Diagnostic, DiagnosticError, fail, messageOf, type Result, succeed } from '../../domain/diagnostic.js';
import { fileLiteral, ident, literal } from '../../domain/names.js';
import type { Database } from '../../effects/duckdb.js';
import { PARQUET_OPTIONS } from '../../effects/parquet-writer.js';
import { maxExpandedOption } from '../content.js';
import { compressionOfFile, withExpanded } from '../expanded.js';
import { type ConvertEffects, convertError, errorAtLine, type Format, type RawFile } from '../format.js';
import { tableOfFile } from '../names.js';
import { csvOptions, type Dialect, dialectOf, encodingOf } from './csv/dialect.js';
import { type ColumnScan, scanColumns, tableFacts } from './csv/scan-columns.js';
import { type Encoding, lineText, readHead, scanText } from './csv/scan-text.js';

const ENDINGS: readonly string[] = ['.gz', '.bz2', '.xz', '.zst', ''].flatMap((packing) =>
  ['.csv', '.tsv', '.tab', '.txt'].map((ending) => ending + packing),
);

/** Delimited text, compressed or not. Types are settled by reading all of it: a sample would miss the one late value. */
export const csv: Format = {
  name: 'csv',
  endings: ENDINGS,
  options: [...csvOptions, maxExpandedOption],
  recognise: ({ fileName, fileNames }) =>
    fileNames === undefined && ENDINGS.some((ending) => fileName.endsWith(ending)) ? 'by name' : undefined,

  async inspect(raw, effects) {
    return withTable(raw, { folder: undefined, effects }, async ({ schema }) => succeed([schema]));
  },

  async convert(raw, folder, effects) {
    return withTable(raw, { folder, effects }, async (table) => {
      const { database, dialect, schema, scan } = table;
      const fileName = `${schema.table}.parquet`;
      const file = path.join(folder, fileName);
      const casts = schema.columns.map(({ name, type }) => `CAST(${ident(name)} AS ${type}) AS ${ident(name)}`);
      // Row groups are cut where the one thread finds them: equal input gives equal bytes.
      await database.run('SET threads = 1');
      await database.run(
        `COPY (SELECT ${casts.join(', ')} FROM ${table.source}) TO ${literal(file)} (${PARQUET_OPTIONS})`,
      );
      const problems = await compare(database, file, table);
      if (problems.length > 0) {
        return fail(
          ...problems.map((problem) => convertError('SL0690', `${raw.displayName}: ${problem}`, 'please report this')),
        );
      }
      const columns = schema.columns.map(({ name, type }, i) => ({
        name: dialect.originals[i] ?? name,
        col: name,
        type,
      }));
      const { originals: _, columns: __, skippedUncommentedLines: ___, ...recorded } = dialect;
      const renamed = columns.filter(({ name, col }) => name !== col);
      return succeed({
        elements: [{ ...schema, file: fileName, rows: scan.rowCount }],
        manifest: {
          format: 'scilake-table/1',
          tools: { duckdb: await versionOf(database) },
          options: { ...recorded, compression: compressionOfFile(raw) },
          elements: [{ path: schema.path, file: fileName, kind: schema.kind, rows: scan.rowCount, columns }],
        },
        warnings: renamed.map(({ name, col }) => `column "${name}" is called "${col}"`),
      });
    });
  },
};

interface OpenTable {
  readonly database: Database;
  readonly dialect: Dialect;
  /** The call of read_csv with all options, every column as text. */
  readonly source: string;
  readonly schema: ElementSchema;
  readonly scan: ColumnScan;
}

/** Verifies the file, settles dialect and types, and lends the open table out. */
async function withTable<T>(
  raw: RawFile,
  at: { readonly folder: string | undefined; readonly effects: ConvertEffects },
  use: (table: OpenTable) => Promise<Result<T>>,
): Promise<Result<T>> {
  const encoding = encodingOf(raw);
  if (!encoding.ok) return encoding;
  const withText = (text: RawFile): Promise<Result<T>> =>
    withVerified(raw, { text, encoding: encoding.value, effects: at.effects }, use);
  // DuckDB inflates gzip as fast as it parses; the others it does not know, or does not verify.
  return compressionOfFile(raw) === 'gzip' ? withText(raw) : withExpanded(raw, at.folder, at.effects, withText);
}

async function withVerified<T>(
  raw: RawFile,
  given: { readonly text: RawFile; readonly encoding: Encoding; readonly effects: ConvertEffects },
  use: (table: OpenTable) => Promise<Result<T>>,
): Promise<Result<T>> {
  const { text, encoding, effects } = given;
  const settled = dialectOf(raw, await readHead(text, encoding), encoding);
  // A file that is damaged and has an odd header is damaged first.
  const dialect = settled.ok ? settled.value : undefined;
  const scanned = await scanText(
    text,
    {
      delimiter: dialect?.delimiter ?? ',',
      quote: dialect?.quote ?? '"',
      comment: dialect?.comment,
      skippedLines: dialect?.skippedLines ?? 0,
      countsEmptyLines: dialect?.columns.length === 1,
      encoding,
    },
    effects.progress,
  );
  if ('error' in scanned) return fail(scanned.error);
  if (!settled.ok) return settled;
  const database = await effects.duckdb.open();
  try {
    const source = readCsv(text, settled.value);
    const scan = await scanColumns(database, source, settled.value.columns);
    if (scan.rowCount !== scanned.recordCount) {
      return fail(
        convertError(
          'SL0615',
          `${raw.displayName}: DuckDB reads ${scan.rowCount} records, the file has ${scanned.recordCount}`,
          'check the options quote and comment',
        ),
      );
    }
    const columns: readonly Column[] = settled.value.columns.map((name, i) => ({
      name,
      type: scan.types[i] ?? 'VARCHAR',
    }));
    const schema: ElementSchema = { path: 'table', table: tableOfFile(raw.file, ENDINGS), kind: 'table', columns };
    return await use({ database, dialect: settled.value, source, schema, scan });
  } catch (thrown) {
    if (thrown instanceof DiagnosticError) throw thrown;
    const diagnostic = await parserError(text, thrown);
    if (diagnostic === undefined) throw thrown;
    return fail(diagnostic);
  } finally {
    database.close();
  }
}

/** `read_csv` with nothing left to DuckDB's guess. */
function readCsv(raw: RawFile, dialect: Dialect): string {
  const columns = dialect.columns.map((name) => `${literal(name)}: 'VARCHAR'`);
  const options = [
    'auto_detect = false',
    'header = false',
    // With a comment character, DuckDB does not count commented lines among the skipped ones.
    `skip = ${dialect.comment === undefined ? dialect.skippedLines : dialect.skippedUncommentedLines}`,
    `columns = {${columns.join(', ')}}`,
    `delim = ${literal(dialect.delimiter)}`,
    `quote = ${literal(dialect.quote)}`,
    `escape = ${literal(dialect.quote)}`,
    `nullstr = [${dialect.nullTexts.map(literal).join(', ')}]`,
    `comment = ${literal(dialect.comment ?? '')}`,
    `encoding = ${literal(dialect.encoding)}`,
    `compression = ${literal(compressionOfFile(raw))}`,
    'allow_quoted_nulls = false',
    'strict_mode = true',
    'null_padding = false',
    'ignore_errors = false',
  ];
  return `read_csv(${fileLiteral(raw.file)}, ${options.join(', ')})`;
}

/** DuckDB's parser error as one of ours, with its line; undefined for anything else. */
async function parserError(raw: RawFile, thrown: unknown): Promise<Diagnostic | undefined> {
  const message = messageOf(thrown);
  if (!/CSV|state machine|Maximum line size/i.test(message)) return undefined;
  const line = Number(/CSV Error on Line: (\d+)/.exec(message)?.[1] ?? Number.NaN);
  const counts = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(message);
  const what =
    counts !== null
      ? `has ${counts[2]} values, the header has ${counts[1]}`
      : (/(Value with unterminated quote found|Invalid unicode[^.]*|Maximum line size[^.]*)/.exec(message)?.[1] ??
        message.split('\n')[0] ??
        message);
  const hint =
    counts !== null
      ? 'check the options delim and quote'
      : 'check the option quote; quotes inside a quoted value are doubled';
  if (Number.isNaN(line)) return convertError('SL0613', `${raw.displayName} cannot be read as CSV: ${what}`, hint);
  return errorAtLine(raw, { code: 'SL0613', line, text: await lineText(raw, line), message: what, hint });
}

/** What the parquet file holds against what the text held; one sentence per difference. */
async function compare(database: Database, file: string, { schema, scan }: OpenTable): Promise<readonly string[]> {
  const names = schema.columns.map((column) => column.name);
  const written = await tableFacts(database, `read_parquet(${fileLiteral(file)})`, names);
  const rows =
    written.rowCount === scan.rowCount ? [] : [`${written.rowCount} rows were written, ${scan.rowCount} were read`];
  const columns = schema.columns.filter(({ type }, i) => {
    const [wanted, found] = [scan.facts[i], written.facts[i]];
    if (wanted === undefined || found === undefined) return true;
    // Every type but DOUBLE prints back as it was written; sums of doubles round, in different orders.
    const isSame =
      type === 'DOUBLE'
        ? Math.abs(found.sum - wanted.sum) <= 1e-9 * wanted.scale
        : found.textBytes === wanted.textBytes;
    return found.valueCount !== wanted.valueCount || !isSame;
  });
  return [...rows, ...columns.map(({ name }) => `column "${name}" differs after writing`)];
}

async function versionOf(database: Database): Promise<string> {
  const [row] = await database.rows('SELECT version() AS v');
  return String(row?.v);
}
