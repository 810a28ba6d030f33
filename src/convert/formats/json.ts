import * as fs from 'node:fs';
import * as path from 'node:path';
import type { ElementSchema } from '../../domain/convert.js';
import { DiagnosticError, fail, type Result, succeed } from '../../domain/diagnostic.js';
import { fileLiteral, ident, literal } from '../../domain/names.js';
import type { Database } from '../../effects/duckdb.js';
import { PARQUET_OPTIONS } from '../../effects/parquet-writer.js';
import { contentHead } from '../compression/index.js';
import { maxExpandedOption } from '../content.js';
import { compressionOfFile } from '../expanded.js';
import {
  type ConvertEffects,
  convertError,
  errorAtLine,
  type Format,
  type FormatOption,
  firstRaw,
  type RawFile,
  type TableFiles,
  type WrittenFormat,
} from '../format.js';
import type { JsonObject } from '../json.js';
import { Namer, tableOfFile } from '../names.js';
import { compareRecords } from './json/compare.js';
import { type JsonNode, JsonSyntaxError, parseValue } from './json/parse-value.js';
import { Shape, type StructField, type ValueType } from './json/shape.js';
import { type Layout, type RecordText, recordsOf } from './json/split-records.js';
import { recordText, sqlType } from './json/write-value.js';

const PACKINGS: readonly string[] = ['.gz', '.bz2', '.xz', '.zst', ''];
const LINE_ENDINGS: readonly string[] = PACKINGS.flatMap((packing) => ['.jsonl', '.ndjson'].map((e) => e + packing));
const ENDINGS: readonly string[] = [...LINE_ENDINGS, ...PACKINGS.map((packing) => `.json${packing}`)];
/** An object with a key, or an array of objects or arrays: no other text begins so. */
const BEGINNING = /^\uFEFF?\s*(?:\{\s*(?:"|\})|\[\s*[[{])/;
const LAYOUTS: readonly Layout[] = ['array', 'lines', 'values'];
const layoutOption: FormatOption = {
  name: 'layout',
  meaning: 'how records follow one another: array, lines (one on each) or values; recognised when left out',
};
const MAX_COLUMNS = 10_000;
/** Records that are no objects become the only column. */
const VALUE = 'value';

/** JSON and JSON lines, compressed or not. Types are settled by reading all of it with a parser that loses no digit. */
export const json: Format = {
  name: 'json',
  endings: ENDINGS,
  options: [layoutOption, maxExpandedOption],

  recognise({ fileName, fileNames, content }) {
    if (fileNames !== undefined) return undefined;
    if (BEGINNING.test(Buffer.from(content).toString('utf8'))) return 'by content';
    return ENDINGS.some((ending) => fileName.endsWith(ending)) ? 'by name' : undefined;
  },

  inspect: (raw, effects) => inspectTable(alone(raw), effects),
  convert: (raw, folder, effects) => convertTable(alone(raw), folder, effects),
  together: { inspect: inspectTable, convert: convertTable },
};

function alone(raw: RawFile): TableFiles {
  return { raws: [raw], table: tableOfFile(raw.file, ENDINGS), fileNames: undefined };
}

async function inspectTable(files: TableFiles, effects: ConvertEffects): Promise<Result<readonly ElementSchema[]>> {
  const { schema } = await read(files, effects);
  return succeed([schema]);
}

async function convertTable(
  files: TableFiles,
  folder: string,
  effects: ConvertEffects,
): Promise<Result<WrittenFormat>> {
  const raw = firstRaw(files);
  const table = await read(files, effects);
  const { schema, fields, recordCount } = table;
  const fileName = `${schema.table}.parquet`;
  const file = path.join(folder, fileName);
  // Names and types are settled: DuckDB gets records that leave it nothing to guess.
  const lines = path.join(folder, '.records');
  const longestBytes = await writeRecords(table, lines);
  const columns = schema.columns.map(({ name, type }) => `${literal(name)}: ${literal(type)}`);
  const options = [
    "format = 'newline_delimited'",
    "records = 'true'",
    'auto_detect = false',
    "compression = 'uncompressed'",
    'ignore_errors = false',
    `maximum_object_size = ${Math.max(2 ** 24, longestBytes + 16)}`,
    `columns = {${columns.join(', ')}}`,
  ];
  const database = await effects.duckdb.open();
  try {
    // Row groups are cut where the one thread finds them: equal input gives equal bytes.
    await database.run('SET threads = 1');
    await database.run(
      `COPY (SELECT ${schema.columns.map(({ name }) => ident(name)).join(', ')} FROM read_json(${fileLiteral(lines)}, ${options.join(', ')})) TO ${literal(file)} (${PARQUET_OPTIONS})`,
    );
    effects.files.remove(lines);
    const problems = await compareRecords(database, `read_parquet(${fileLiteral(file)})`, table);
    if (problems.length > 0) {
      return fail(
        ...problems.map((what) => convertError('SL0690', `${raw.displayName}: ${what}`, 'please report this')),
      );
    }
    return succeed({
      elements: [{ ...schema, file: fileName, rows: recordCount }],
      manifest: {
        format: 'scilake-table/1',
        tools: { duckdb: await versionOf(database) },
        options: { layout: table.parts[0]?.layout ?? 'values', compression: compressionOfFile(raw) },
        elements: [
          {
            path: schema.path,
            file: fileName,
            kind: schema.kind,
            rows: recordCount,
            columns: fields.map(describe),
          },
        ],
      },
      warnings: fields.flatMap((field) => [...warningsOf(field, '')]),
    });
  } finally {
    database.close();
  }
}

/** One of the files of a table. */
interface JsonPart {
  readonly raw: RawFile;
  readonly layout: Layout;
  readonly recordCount: number;
  /** The member that says which file a record is from, where one is wanted. */
  readonly fileName: JsonMember | undefined;
}

interface JsonMember {
  readonly key: string;
  readonly value: JsonNode;
}

interface JsonTable {
  /** In their order; one at least. */
  readonly parts: readonly JsonPart[];
  readonly shape: Shape;
  readonly fields: readonly StructField[];
  readonly recordCount: number;
  readonly schema: ElementSchema;
}

/** Reads every record of every file once and settles the columns. */
async function read(files: TableFiles, effects: ConvertEffects): Promise<JsonTable> {
  const shape = new Shape();
  const read: JsonPart[] = [];
  let kind: 'object' | 'other' | undefined;
  for (const raw of files.raws) {
    const layout = await layoutOf(raw);
    let recordCount = 0;
    const progress = (bytes: number): void =>
      effects.progress?.(Math.min(bytes, raw.sizeBytes), raw.sizeBytes, 'bytes');
    for await (const record of recordsOf(raw, layout, progress)) {
      const node = parsed(raw, record);
      const own = node.kind === 'object' ? 'object' : 'other';
      kind ??= own;
      if (own !== kind) {
        throw problemAt(
          raw,
          record,
          own === 'object' ? 'holds an object, and those before it do not' : 'holds no object, and those before it do',
        );
      }
      shape.add(asRecord(node));
      recordCount++;
      if (shape.members.size > MAX_COLUMNS) {
        throw problemAt(
          raw,
          record,
          `brings the number of different keys to ${shape.members.size}; a table has at most ${MAX_COLUMNS} columns`,
        );
      }
    }
    read.push({ raw, layout, recordCount, fileName: undefined });
  }
  const recordCount = read.reduce((sum, part) => sum + part.recordCount, 0);
  if (recordCount === 0 || shape.members.size === 0) {
    throw new DiagnosticError([
      convertError(
        'SL0671',
        `${firstRaw(files).displayName} holds no ${recordCount === 0 ? 'records' : 'values'}`,
        'check the file',
      ),
    ]);
  }
  const parts = withFileNames(read, files.fileNames, shape);
  const fields = shape.fields();
  const columns = fields.map(({ name, type }) => ({ name, type: sqlType(type) }));
  const schema: ElementSchema = { path: 'table', table: files.table, kind: 'table', columns };
  return { parts, shape, fields, recordCount, schema };
}

/** The name of its file becomes a member of every record, under a key that no record has. */
function withFileNames(
  parts: readonly JsonPart[],
  fileNames: TableFiles['fileNames'],
  shape: Shape,
): readonly JsonPart[] {
  if (fileNames === undefined) return parts;
  const key = new Namer([...shape.members.keys()]).name('filename');
  return parts.map((part, i) => {
    const value: JsonNode = { kind: 'text', text: fileNames[i] ?? '' };
    const added: JsonNode = { kind: 'object', members: new Map([[key, value]]), source: '' };
    for (let record = 0; record < part.recordCount; record += 1) shape.add(added);
    return { ...part, fileName: { key, value } };
  });
}

/** @returns bytes of the longest record */
async function writeRecords({ parts, fields }: JsonTable, file: string): Promise<number> {
  const descriptor = fs.openSync(file, 'wx');
  let longestBytes = 0;
  let held: string[] = [];
  let heldUnits = 0;
  const flush = (): void => {
    fs.writeSync(descriptor, held.join(''));
    held = [];
    heldUnits = 0;
  };
  try {
    for (const { raw, layout, fileName } of parts) {
      for await (const record of recordsOf(raw, layout)) {
        const node = asRecord(parsed(raw, record));
        if (node.kind !== 'object') throw new Error('a record is no object');
        const members =
          fileName === undefined ? node.members : new Map([...node.members, [fileName.key, fileName.value]]);
        const line = `${recordText(members, fields)}\n`;
        longestBytes = Math.max(longestBytes, Buffer.byteLength(line));
        held.push(line);
        heldUnits += line.length;
        if (heldUnits > 2 ** 20) flush();
      }
    }
    flush();
  } finally {
    fs.closeSync(descriptor);
  }
  return longestBytes;
}

function asRecord(node: JsonNode): JsonNode {
  return node.kind === 'object' ? node : { kind: 'object', members: new Map([[VALUE, node]]), source: '' };
}

function parsed(raw: RawFile, record: RecordText): JsonNode {
  try {
    return parseValue(record.text);
  } catch (thrown) {
    if (!(thrown instanceof JsonSyntaxError)) throw thrown;
    const before = record.text.slice(0, thrown.at).split('\n');
    const line = record.line + before.length - 1;
    throw problemAt(raw, { line, text: record.text.split('\n')[before.length - 1] ?? '' }, thrown.message);
  }
}

function problemAt(raw: RawFile, { line, text }: RecordText, message: string): DiagnosticError {
  const hint = 'nothing of the file was loaded';
  return new DiagnosticError([errorAtLine(raw, { code: 'SL0670', line, text: text.slice(0, 200), message, hint })]);
}

async function layoutOf(raw: RawFile): Promise<Layout> {
  const wanted = raw.options.layout;
  const known = LAYOUTS.find((layout) => layout === wanted);
  if (known !== undefined) return known;
  if (wanted !== undefined) {
    throw new DiagnosticError([
      convertError(
        'SL0606',
        `${raw.displayName}: option layout cannot be "${wanted}"`,
        `it is one of ${LAYOUTS.join(', ')}`,
      ),
    ]);
  }
  const name = path.basename(raw.file).toLowerCase();
  if (LINE_ENDINGS.some((ending) => name.endsWith(ending))) return 'lines';
  const head = (await contentHead(raw.file, 4096)).toString('utf8');
  return /^\uFEFF?\s*\[/.test(head) ? 'array' : 'values';
}

/** A column's or field's entry in the manifest; names only where they differ. */
function describe({ key, name, type }: StructField): JsonObject {
  const fields = fieldsOf(type).filter((field) => field.key !== field.name || fieldsOf(field.type).length > 0);
  return {
    name: key,
    col: name,
    type: sqlType(type),
    ...(type.kind === 'json' ? { holds: 'json' } : {}),
    ...(fields.length === 0 ? {} : { fields: fields.map(describe) }),
  };
}

function fieldsOf(type: ValueType): readonly StructField[] {
  if (type.kind === 'list') return fieldsOf(type.item);
  return type.kind === 'struct' ? type.fields : [];
}

function* warningsOf({ key, name, type }: StructField, before: string): Generator<string> {
  const at = before + key;
  const what = before === '' ? 'column' : 'field';
  if (key !== name) yield `${what} "${at}" is called "${name}"`;
  const inner = innermost(type);
  if (inner.kind === 'json') yield `${what} "${at}" is kept as JSON text: ${inner.why}`;
  for (const field of fieldsOf(type)) yield* warningsOf(field, `${at}.`);
}

function innermost(type: ValueType): ValueType {
  return type.kind === 'list' ? innermost(type.item) : type;
}

async function versionOf(database: Database): Promise<string> {
  const [row] = await database.rows('SELECT version() AS v');
  return String(row?.v);
}
