import { ident } from '../../domain/names.js';
import type { NumberArray } from '../../effects/column-facts.js';
import { type DatasetWriter, TEXT } from '../../effects/hdf5-writer.js';
import type { ColumnValues } from '../../effects/parquet-writer.js';
import { readTable } from '../../effects/table-reader.js';
import {
  ARRAY,
  BOOLEAN,
  encoding,
  numbersOfJson,
  storedBytes,
  TEXT_ARRAY,
  typeOfDtype,
  writtenType,
} from './encode.js';
import type { ManifestColumn, ManifestElement } from './manifest.js';
import { type ExportTarget, exportError, type ReadColumn, readableColumns } from './target.js';

/** Columns that are read in one query: each open one holds a chunk in memory. */
const COLUMNS_AT_ONCE = 64;

/** Takes the values of a column block by block. */
interface SeriesWriter {
  write(values: ColumnValues): void;
  finish(): void;
}

/**
 * A data frame: index, columns in their order, each in the encoding that its dtype asks for.
 *
 * @param at  where it goes, which is `element.path` but for frames inside `raw`
 * @throws DiagnosticError (SL0661) when its key does not count its rows
 */
export async function writeFrame(target: ExportTarget, element: ManifestElement, at: string): Promise<number> {
  const { writer } = target;
  const [key, index, ...rest] = await readableColumns(target, element);
  if (key === undefined || index === undefined) {
    throw exportError(target, { code: 'SL0661', path: element.path, message: 'has no key and no names' });
  }
  const rowCount = await countedRows(target, element, key);
  const columns = rest.map((column) => ({ column, facts: factsOf(element, column) }));
  const names = columns.map(({ facts }) => facts.name);
  const indexName = element.indexName ?? '_index';
  const slash = [indexName, ...names].find((name) => name.includes('/') || name === '');
  if (slash !== undefined) {
    throw exportError(target, {
      code: 'SL0662',
      path: element.path,
      message: `has a column "${slash}", which cannot be the name of an HDF5 dataset`,
      hint: 'rename it: a name has characters, none of them a slash',
    });
  }
  writer.group(at, { ...encoding('dataframe', '0.2.0'), _index: indexName, 'column-order': names });
  // An index that is a column, too, is one dataset with two roles.
  const indexColumn = { column: { ...index, isCast: false }, facts: { ...plain(indexName), dtype: 'object' } };
  const all = names.includes(indexName) ? columns : [indexColumn, ...columns];
  for (let from = 0; from < all.length; from += COLUMNS_AT_ONCE) {
    const part = all.slice(from, from + COLUMNS_AT_ONCE);
    await writeColumns(target, { element, key, rowCount, at }, part);
  }
  return rowCount;
}

/** One column of a table as an element of its own: a categorical or nullable array of `uns`. */
export async function writeSeries(target: ExportTarget, element: ManifestElement): Promise<void> {
  const columns = await readableColumns(target, element);
  const [key] = columns;
  const column = columns.find(({ name }) => name === 'value');
  if (key === undefined || column === undefined) {
    throw exportError(target, { code: 'SL0661', path: element.path, message: 'has no column "value"' });
  }
  const rowCount = await countedRows(target, element, key);
  const slash = element.path.lastIndexOf('/');
  const facts = { ...factsOf(element, column), name: element.path.slice(slash + 1) };
  await writeColumns(target, { element, key, rowCount, at: element.path.slice(0, slash) }, [{ column, facts }]);
}

interface FramePart {
  readonly element: ManifestElement;
  readonly key: ReadColumn;
  readonly rowCount: number;
  readonly at: string;
}

interface FrameColumn {
  readonly column: ReadColumn;
  readonly facts: ManifestColumn;
}

async function writeColumns(
  target: ExportTarget,
  { element, key, rowCount, at }: FramePart,
  columns: readonly FrameColumn[],
): Promise<void> {
  const { database } = target;
  const relation = target.relation(element);
  const counts = columns.map(({ column }, i) => `count(${ident(column.name)}) AS n${i}`);
  const [found] = await database.rows(`SELECT ${counts.join(', ')} FROM ${relation}`);
  const series = columns.map((column, i) => {
    const hasMissing = Number(found?.[`n${i}`]) < rowCount;
    return openSeries(target, { ...column, path: `${at}/${column.facts.name}`, rowCount, hasMissing });
  });
  const expressions = columns.map(({ column }) => column.expression).join(', ');
  const sql = `SELECT ${expressions} FROM ${relation} ORDER BY ${ident(key.name)}`;
  for await (const block of readTable(
    database,
    sql,
    columns.map(({ column }) => column),
  )) {
    for (const [i, values] of block.columns.entries()) series[i]?.write(values);
  }
  for (const one of series) one.finish();
}

/** Checks that a key is 0, 1, 2 … */
export async function countedRows(target: ExportTarget, element: ManifestElement, key: ReadColumn): Promise<number> {
  const column = ident(key.name);
  const [row] = await target.database.rows(
    `SELECT count(*) AS n, count(DISTINCT ${column}) AS keys, min(${column}) AS low, max(${column}) AS high FROM ${target.relation(element)}`,
  );
  const count = Number(row?.n);
  if (count === 0 || (Number(row?.keys) === count && Number(row?.low) === 0 && Number(row?.high) === count - 1))
    return count;
  throw exportError(target, {
    code: 'SL0661',
    path: element.path,
    message: `: ${key.name} does not count its ${count} rows from 0`,
    hint: 'an AnnData holds every cell and gene once; number what is left anew',
  });
}

/** What the manifest says of a column; a table that has no manifest is taken by its types. */
function factsOf(element: ManifestElement, column: ReadColumn): ManifestColumn {
  return element.columns.find((candidate) => candidate.column === column.name) ?? plain(column.name);
}

function plain(name: string): ManifestColumn {
  return { name, column: name, dtype: '', categoriesDtype: '', isOrdered: false };
}

interface SeriesRequest extends FrameColumn {
  readonly path: string;
  readonly rowCount: number;
  readonly hasMissing: boolean;
}

/** pandas' names of types whose values may be missing. */
const NULLABLE = /^(?:U?Int\d+|boolean|string)$/;

function openSeries(target: ExportTarget, request: SeriesRequest): SeriesWriter {
  const { column, facts, path, hasMissing } = request;
  if (facts.categories !== undefined) return openCategorical(target, request, facts.categories);
  if (column.isCast)
    target.warn(
      `${path}: its type has no counterpart in AnnData, it is written as ${column.type === 'DOUBLE' ? 'numbers' : 'text'}`,
    );
  const isFloat = column.type === 'FLOAT' || column.type === 'DOUBLE';
  if ((hasMissing && !isFloat) || NULLABLE.test(facts.dtype)) return openNullable(target, request);
  if (hasMissing) target.warn(`${path}: missing numbers are written as NaN`);
  return openPlain(target, request);
}

function openPlain(target: ExportTarget, { column, facts, path, rowCount }: SeriesRequest): SeriesWriter {
  const type = writtenType(column.type, facts.dtype);
  const attributes = type.class === 'text' ? TEXT_ARRAY : ARRAY;
  const dataset = target.writer.dataset(path, { type, shape: [rowCount], attributes });
  return {
    write(values) {
      if (values.kind === 'texts') dataset.writeTexts(values.texts.map((text) => text ?? ''));
      else dataset.write(storedBytes(withNaN(values.numbers, values.isNull), type));
    },
    finish: () => dataset.finish(),
  };
}

function withNaN(numbers: NumberArray, isNull: Uint8Array | undefined): NumberArray {
  if (isNull === undefined || !(numbers instanceof Float32Array || numbers instanceof Float64Array)) return numbers;
  return numbers.map((value, i) => (isNull[i] === 1 ? Number.NaN : value));
}

/** Values, and a mask that is true where one is missing. */
function openNullable(target: ExportTarget, { column, path, rowCount }: SeriesRequest): SeriesWriter {
  const { writer } = target;
  const type = writtenType(column.type, '');
  const name =
    type.class === 'text'
      ? 'nullable-string-array'
      : type.class === 'boolean'
        ? 'nullable-boolean'
        : 'nullable-integer';
  writer.group(path, encoding(name, '0.1.0'));
  const shape = [rowCount];
  const attributes = type.class === 'text' ? TEXT_ARRAY : ARRAY;
  const values = writer.dataset(`${path}/values`, { type, shape, attributes });
  const mask = writer.dataset(`${path}/mask`, { type: BOOLEAN, shape, attributes: ARRAY });
  return {
    write(block) {
      if (block.kind === 'texts') {
        values.writeTexts(block.texts.map((text) => text ?? ''));
        mask.write(Uint8Array.from(block.texts, (text) => (text === null ? 1 : 0)));
        return;
      }
      const { numbers, isNull = new Uint8Array(numbers.length) } = block;
      // What stands behind a NULL is not defined; zero, so that equal tables give equal files.
      for (let i = 0; i < isNull.length; i++) if (isNull[i] === 1) clear(numbers, i);
      values.write(storedBytes(numbers, type));
      mask.write(isNull.slice());
    },
    finish() {
      values.finish();
      mask.finish();
    },
  };
}

function clear(numbers: NumberArray, at: number): void {
  if (numbers instanceof BigInt64Array || numbers instanceof BigUint64Array) numbers[at] = 0n;
  else numbers[at] = 0;
}

/** Codes into the manifest's categories, -1 for a missing value. */
function openCategorical(
  target: ExportTarget,
  { facts, path, rowCount }: SeriesRequest,
  categories: readonly unknown[],
): SeriesWriter {
  const { writer } = target;
  writer.group(path, { ...encoding('categorical', '0.2.0'), ordered: facts.isOrdered });
  const type = typeOfDtype(facts.categoriesDtype);
  const shape = [categories.length];
  if (type === 'VARCHAR') {
    writer.values(`${path}/categories`, { type: TEXT, shape, attributes: TEXT_ARRAY }, categories.map(String));
  } else {
    const stored = writtenType(type, facts.categoriesDtype);
    const values = storedBytes(numbersOfJson(categories, type), stored);
    writer.values(`${path}/categories`, { type: stored, shape, attributes: ARRAY }, values);
  }
  const codeType = categories.length < 1 << 7 ? 'TINYINT' : categories.length < 1 << 15 ? 'SMALLINT' : 'INTEGER';
  const codes: DatasetWriter = writer.dataset(`${path}/codes`, {
    type: writtenType(codeType, ''),
    shape: [rowCount],
    attributes: ARRAY,
  });
  const known: readonly unknown[] = type === 'VARCHAR' ? categories.map(String) : [...numbersOfJson(categories, type)];
  const positions = new Map(known.map((category, i) => [category, i]));
  const codeOf = (value: unknown): number => {
    const code = positions.get(value);
    if (code !== undefined) return code;
    throw exportError(target, {
      code: 'SL0663',
      path,
      message: `has the value ${JSON.stringify(String(value))}, which is none of its ${categories.length} categories`,
      hint: 'the table was changed after its manifest was written',
    });
  };
  return {
    write(block) {
      const found =
        block.kind === 'texts'
          ? block.texts.map((text) => (text === null ? -1 : codeOf(text)))
          : Array.from<number | bigint, number>(block.numbers, (value, i) =>
              block.isNull?.[i] === 1 ? -1 : codeOf(value),
            );
      codes.write(storedBytes(numbersOfJson(found, codeType), writtenType(codeType, '')));
    },
    finish: () => codes.finish(),
  };
}
