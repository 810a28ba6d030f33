import * as path from 'node:path';
import type { Column } from '../../domain/column.js';
import type { ElementSchema } from '../../domain/convert.js';
import { type Diagnostic, DiagnosticError, fail, messageOf, type Result, succeed } from '../../domain/diagnostic.js';
import { fileLiteral, ident, literal } from '../../domain/names.js';
import type { Database } from '../../effects/duckdb.js';
import { PARQUET_OPTIONS } from '../../effects/parquet-writer.js';
import { maxExpandedOption } from '../content.js';
import { compressionOfFile, withExpanded } from '../expanded.js';
import { FILE_NAME_OPTION, fileNameColumn, WITHOUT_PATH } from '../file-name-column.js';
import {
  type ConvertEffects,
  convertError,
  errorAtLine,
  type Format,
  firstRaw,
  type RawFile,
  type TableFiles,
  type WrittenFormat,
} from '../format.js';
import { Namer, tableOfFile } from '../names.js';
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

  inspect: (raw, effects) => inspectTable(alone(raw), effects),
  convert: (raw, folder, effects) => convertTable(alone(raw), folder, effects),
  together: { inspect: inspectTable, convert: convertTable },
};

function alone(raw: RawFile): TableFiles {
  return { raws: [raw], table: tableOfFile(raw.file, ENDINGS), fileNames: undefined };
}

function inspectTable(files: TableFiles, effects: ConvertEffects): Promise<Result<readonly ElementSchema[]>> {
  return withTable(files, { folder: undefined, effects }, async ({ schema }) => succeed([schema]));
}

function convertTable(files: TableFiles, folder: string, effects: ConvertEffects): Promise<Result<WrittenFormat>> {
  const raw = firstRaw(files);
  return withTable(files, { folder, effects }, async (table) => {
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
}

interface OpenTable {
  readonly database: Database;
  readonly dialect: Dialect;
  /** The call of read_csv with all options, every column as text. */
  readonly source: string;
  readonly schema: ElementSchema;
  readonly scan: ColumnScan;
}

/** Verifies the files, settles dialects and types, and lends the open table out. */
async function withTable<T>(
  files: TableFiles,
  at: { readonly folder: string | undefined; readonly effects: ConvertEffects },
  use: (table: OpenTable) => Promise<Result<T>>,
): Promise<Result<T>> {
  const encoding = encodingOf(firstRaw(files));
  if (!encoding.ok) return encoding;
  const { raws } = files;
  const texts: RawFile[] = [];
  const withTexts = async (from: number): Promise<Result<T>> => {
    for (let i = from; i < raws.length; i += 1) {
      const raw = raws[i];
      if (raw === undefined) continue;
      // DuckDB inflates gzip as fast as it parses; the others it does not know, or does not verify.
      if (['gzip', 'none'].includes(compressionOfFile(raw))) texts.push(raw);
      else
        return withExpanded(raw, at.folder, at.effects, (text) => {
          texts.push(text);
          return withTexts(i + 1);
        });
    }
    return withVerified(files, { texts, encoding: encoding.value, effects: at.effects }, use);
  };
  return withTexts(0);
}

/** A file whose text is whole, and how it is read. */
interface VerifiedText {
  readonly text: RawFile;
  readonly dialect: Dialect;
  readonly recordCount: number;
}

async function verified(
  raw: RawFile,
  text: RawFile,
  { encoding, effects }: { readonly encoding: Encoding; readonly effects: ConvertEffects },
): Promise<Result<VerifiedText>> {
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
  return settled.ok ? succeed({ text, dialect: settled.value, recordCount: scanned.recordCount }) : settled;
}

async function withVerified<T>(
  files: TableFiles,
  given: { readonly texts: readonly RawFile[]; readonly encoding: Encoding; readonly effects: ConvertEffects },
  use: (table: OpenTable) => Promise<Result<T>>,
): Promise<Result<T>> {
  const { texts, effects } = given;
  const read: VerifiedText[] = [];
  for (const [i, text] of texts.entries()) {
    const one = await verified(files.raws[i] ?? text, text, given);
    if (!one.ok) return one;
    read.push(one.value);
  }
  const dialect = unitedDialect(read, files.fileNames !== undefined);
  const recordCount = read.reduce((sum, one) => sum + one.recordCount, 0);
  const raw = firstRaw(files);
  const database = await effects.duckdb.open();
  try {
    const source = readCsvs(read, files.fileNames, dialect.columns);
    const scan = await scanColumns(database, source, dialect.columns);
    if (scan.rowCount !== recordCount) {
      return fail(
        convertError(
          'SL0615',
          `${raw.displayName}: DuckDB reads ${scan.rowCount} records, the file has ${recordCount}`,
          'check the options quote and comment',
        ),
      );
    }
    const columns: readonly Column[] = dialect.columns.map((name, i) => ({ name, type: scan.types[i] ?? 'VARCHAR' }));
    const schema: ElementSchema = { path: 'table', table: files.table, kind: 'table', columns };
    return await use({ database, dialect, source, schema, scan });
  } catch (thrown) {
    if (thrown instanceof DiagnosticError) throw thrown;
    const message = messageOf(thrown);
    const diagnostic = await parserError(texts.find(({ file }) => message.includes(file)) ?? texts[0] ?? raw, thrown);
    if (diagnostic === undefined) throw thrown;
    return fail(diagnostic);
  } finally {
    database.close();
  }
}

/** The dialect of the first, with the columns of all; equal but for case is equal, as DuckDB has it. */
function unitedDialect(read: readonly VerifiedText[], hasFileName: boolean): Dialect {
  const [first] = read;
  if (first === undefined) throw new Error('a table of no files');
  if (read.length === 1 && !hasFileName) return first.dialect;
  const originals = new Map<string, { readonly name: string; readonly original: string }>();
  for (const { dialect } of read)
    for (const [i, name] of dialect.columns.entries())
      if (!originals.has(name.toLowerCase()))
        originals.set(name.toLowerCase(), { name, original: dialect.originals[i] ?? name });
  const found = [...originals.values()];
  const columns = found.map(({ name }) => name);
  const added = hasFileName ? [new Namer(columns).name('filename')] : [];
  return {
    ...first.dialect,
    columns: [...columns, ...added],
    originals: [...found.map(({ original }) => original), ...added],
  };
}

/** All files as one table of text. Those of one dialect are read by one call: a call for each would be planned for long. */
function readCsvs(
  read: readonly VerifiedText[],
  fileNames: readonly string[] | undefined,
  columns: readonly string[],
): string {
  const groups = new Map<string, { readonly dialect: Dialect; readonly texts: RawFile[] }>();
  for (const { text, dialect } of read) {
    const { originals: _, ...kind } = dialect;
    const key = JSON.stringify([kind, compressionOfFile(text)]);
    const group = groups.get(key) ?? { dialect, texts: [] };
    group.texts.push(text);
    groups.set(key, group);
  }
  const calls = [...groups.values()].map(({ dialect, texts }) => readCsv(texts, dialect, fileNames !== undefined));
  const [only] = calls;
  if (only !== undefined && calls.length === 1 && fileNames === undefined) return only;
  const selected =
    fileNames === undefined
      ? '*'
      : `${WITHOUT_PATH}, ${fileNameColumn(
          read.map(({ text }) => text),
          fileNames,
          columns.at(-1) ?? '',
        )}`;
  return `(${calls.map((call) => `SELECT ${selected} FROM ${call}`).join(' UNION ALL BY NAME ')})`;
}

/** `read_csv` with nothing left to DuckDB's guess. */
function readCsv(raws: readonly RawFile[], dialect: Dialect, hasFileName: boolean): string {
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
    `compression = ${literal(raws[0] === undefined ? 'none' : compressionOfFile(raws[0]))}`,
    'allow_quoted_nulls = false',
    'strict_mode = true',
    'null_padding = false',
    'ignore_errors = false',
    ...(hasFileName ? [FILE_NAME_OPTION] : []),
  ];
  const files = raws.map(({ file }) => fileLiteral(file));
  return `read_csv(${files.length === 1 ? files.join() : `[${files.join(', ')}]`}, ${options.join(', ')})`;
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
