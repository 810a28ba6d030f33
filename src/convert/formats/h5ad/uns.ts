import { describeType } from '../../../effects/hdf5.js';
import type { RowBlock, WritableColumn } from '../../../effects/parquet-writer.js';
import type { PlannedElement } from '../../element.js';
import { type Json, jsonText } from '../../json.js';
import { columnNames, type Namer } from '../../names.js';
import { frameAt, frameElement, MAX_ROWS, recordColumns } from './dataframe.js';
import { denseAt, embeddingElement, MAX_COLUMNS } from './dense.js';
import type { Child, H5adInput } from './input.js';
import { jsonValues, seriesAt } from './series.js';
import { sparseAt, sparseElement, sparseLayout } from './sparse.js';
import { dtypeOf, isNumeric, numbersOf } from './values.js';

/** Arrays up to this size stand in `uns.parquet` as JSON. */
const INLINE_BYTES = 64 << 10;

/** One row of `uns.parquet`; its JSON is read when the row is written. */
interface UnsRow {
  /** Below `uns`, without it. */
  readonly path: string;
  readonly kind: 'dict' | 'null' | 'string' | 'scalar' | 'array' | 'table' | 'sparse' | 'categorical' | 'nullable';
  readonly dtype: string | null;
  readonly shape: readonly number[] | null;
  readonly json: () => Json;
}

const COLUMNS: readonly WritableColumn[] = [
  { name: 'path', type: 'VARCHAR' },
  { name: 'kind', type: 'VARCHAR' },
  { name: 'dtype', type: 'VARCHAR' },
  { name: 'shape', type: 'VARCHAR' },
  { name: 'json', type: 'VARCHAR' },
];

interface Walk {
  readonly input: H5adInput;
  readonly namer: Namer;
  readonly sortMemoryBytes: number;
  readonly rows: UnsRow[];
  readonly tables: PlannedElement[];
}

/**
 * Unstructured annotation: one table of all its leaves, scalars and small arrays as JSON; data frames, rec-arrays,
 * sparse matrices and arrays above 64 KB become tables of their own, named `uns__0`, `uns__1` …
 *
 * @param leftOut  names right below `uns`, or paths like `neighbors/distances`, that became other elements
 */
export function unsElements(
  input: H5adInput,
  options: { readonly namer: Namer; readonly sortMemoryBytes: number; readonly leftOut: ReadonlySet<string> },
): readonly PlannedElement[] {
  if (input.kind('uns') === undefined) return [];
  input.encoding('uns');
  const walk: Walk = { input, namer: options.namer, sortMemoryBytes: options.sortMemoryBytes, rows: [], tables: [] };
  for (const child of input.children('uns')) visit(walk, child, options.leftOut);
  const { rows, tables } = walk;
  if (rows.length === 0) return [];
  return [
    {
      schema: { path: 'uns', table: options.namer.name('uns'), kind: 'uns', columns: COLUMNS },
      rowCount: rows.length,
      *blocks(): Iterable<RowBlock> {
        const texts = (of: (row: UnsRow) => string | null): RowBlock['columns'][number] => ({
          kind: 'texts',
          texts: rows.map(of),
        });
        yield {
          rowCount: rows.length,
          columns: [
            texts((row) => row.path),
            texts((row) => row.kind),
            texts((row) => row.dtype),
            texts((row) => (row.shape === null ? null : jsonText(row.shape))),
            texts((row) => jsonText(row.json())),
          ],
        };
      },
      describe: () => ({ kind: 'uns' }),
    },
    ...tables,
  ];
}

function visit(walk: Walk, { path, kind }: Child, leftOut: ReadonlySet<string>): void {
  const { input, rows, tables } = walk;
  const below = path.slice('uns/'.length);
  if (leftOut.has(below)) return;
  const own = (element: PlannedElement, row: Omit<UnsRow, 'path' | 'json'>): void => {
    tables.push(element);
    rows.push({ ...row, path: below, json: () => ({ table: element.schema.table }) });
  };
  const table = (): string => walk.namer.name(`uns__${tables.length}`);
  const encoding = input.encoding(path);
  if (kind === 'dataset') {
    visitDataset(walk, path, { below, encoding, own, table });
    return;
  }
  const layout = sparseLayout(input, path);
  if (layout !== undefined) {
    const sparse = sparseAt(input, path, layout);
    const element = sparseElement(input, sparse, {
      path,
      table: table(),
      kind: 'sparse',
      rowColumn: 'row_idx',
      columnColumn: 'col_idx',
      sortedBy: 'as stored',
      sortMemoryBytes: walk.sortMemoryBytes,
    });
    own(element, { kind: 'sparse', dtype: dtypeOf(sparse.type), shape: sparse.shape });
    return;
  }
  switch (encoding) {
    case 'dataframe': {
      const frame = frameAt(input, path);
      const target = {
        path,
        table: table(),
        kind: 'table',
        keyColumn: 'row_idx',
        nameColumn: 'row_name',
        warnsOfDuplicates: false,
      } as const;
      own(frameElement(frame, target), { kind: 'table', dtype: null, shape: [frame.length, frame.columns.length] });
      return;
    }
    case 'categorical':
    case 'nullable-integer':
    case 'nullable-boolean':
    case 'nullable-string-array': {
      const series = seriesAt(input, path);
      const target = {
        path,
        table: table(),
        kind: 'table',
        keyColumn: 'row_idx',
        nameColumn: 'row_name',
        warnsOfDuplicates: false,
      } as const;
      const index = { type: 'VARCHAR', length: series.length, describe: () => ({}), read: rowNumbers } as const;
      const frame = { path, length: series.length, indexName: null, index, columns: [{ original: 'value', series }] };
      own(frameElement(frame, target), {
        kind: encoding === 'categorical' ? 'categorical' : 'nullable',
        dtype: null,
        shape: [series.length],
      });
      return;
    }
    case undefined:
    case 'dict': {
      rows.push({ path: below, kind: 'dict', dtype: null, shape: null, json: () => ({}) });
      for (const child of input.children(path)) visit(walk, child, leftOut);
      return;
    }
    default:
      throw input.error('SL0623', path, `a group with encoding-type "${encoding}" is not expected in uns`);
  }
}

function rowNumbers(from: number, count: number): { readonly kind: 'texts'; readonly texts: readonly string[] } {
  return { kind: 'texts', texts: Array.from({ length: count }, (_, i) => String(from + i)) };
}

interface At {
  readonly below: string;
  readonly encoding: string | undefined;
  own(element: PlannedElement, row: Omit<UnsRow, 'path' | 'json'>): void;
  table(): string;
}

function visitDataset(walk: Walk, path: string, at: At): void {
  const { input, rows } = walk;
  const { below, own, table } = at;
  const dataset = input.dataset(path);
  const { type, shape } = dataset;
  if (at.encoding === 'null' || shape === undefined) {
    rows.push({ path: below, kind: 'null', dtype: null, shape: null, json: () => null });
    return;
  }
  if (type.class === 'compound') {
    if (shape.length > 1)
      throw input.error('SL0629', path, `a rec-array of ${shape.length} dimensions is not supported`);
    if (shape.length === 0) throw input.error('SL0629', path, 'a single record is not supported');
    own(recordElement(input, path, table()), { kind: 'table', dtype: null, shape });
    return;
  }
  const dtype = dtypeOf(type);
  const count = shape.reduce((product, n) => product * n, 1);
  if (type.class !== 'string' && !isNumeric(type)) {
    throw input.error('SL0629', path, `${describeType(type)} is not supported`);
  }
  // A text of variable length counts as the 16 bytes of its reference.
  const bytesPerValue = type.class === 'string' && type.variable ? 16 : type.bytes;
  if (count * bytesPerValue > INLINE_BYTES) {
    const rowCount = shape[0] ?? 0;
    if (rowCount > MAX_ROWS) throw input.error('SL0627', path, `has ${rowCount} rows, ${MAX_ROWS} are the most`);
    if (isNumeric(type) && count / Math.max(1, rowCount) <= MAX_COLUMNS) {
      const target = { path, table: table(), kind: 'table', rowColumn: 'row_idx' } as const;
      own(embeddingElement(denseAt(input, path), target), { kind: 'array', dtype, shape });
      return;
    }
    if (shape.length === 1) {
      const index = { type: 'VARCHAR', length: rowCount, describe: () => ({}), read: rowNumbers } as const;
      const frame = {
        path,
        length: rowCount,
        indexName: null,
        index,
        columns: [{ original: 'value', series: seriesAt(input, path) }],
      };
      const target = {
        path,
        table: table(),
        kind: 'table',
        keyColumn: 'row_idx',
        nameColumn: 'row_name',
        warnsOfDuplicates: false,
      } as const;
      own(frameElement(frame, target), { kind: 'array', dtype, shape });
      return;
    }
  }
  // What is left is small, or wide text and numbers of more than one dimension, which only JSON holds in one piece.
  rows.push({
    path: below,
    kind: shape.length > 0 ? 'array' : type.class === 'string' ? 'string' : 'scalar',
    dtype,
    shape: shape.length === 0 ? null : shape,
    json() {
      const slab = { offset: shape.map(() => 0), count: shape };
      const values = jsonValues(
        type,
        isNumeric(type)
          ? { kind: 'numbers', numbers: numbersOf(type, input.file.bytes(dataset, slab)) }
          : { kind: 'texts', texts: input.file.strings(dataset, slab) },
      );
      return shape.length === 0 ? (values[0] ?? null) : nested(values, shape);
    },
  });
}

/** Flat values as arrays in arrays, as the shape says. */
function nested(values: readonly Json[], shape: readonly number[]): Json {
  const [length = 0, ...rest] = shape;
  if (rest.length === 0) return values;
  const size = rest.reduce((product, n) => product * n, 1);
  return Array.from({ length }, (_, i) => nested(values.slice(i * size, (i + 1) * size), rest));
}

/** A rec-array as a table: its fields are columns. */
function recordElement(input: H5adInput, path: string, table: string): PlannedElement {
  const fields = recordColumns(input, path);
  const rowCount = input.dataset(path).shape?.[0] ?? 0;
  const names = columnNames(
    fields.map(({ original }) => original),
    ['row_idx'],
  );
  const columns = fields.map(({ original, series }, i) => ({ original, series, name: names[i] ?? original }));
  return {
    schema: {
      path,
      table,
      kind: 'table',
      columns: [
        { name: 'row_idx', type: 'INTEGER' },
        ...columns.map(({ name, series }) => ({ name, type: series.type })),
      ],
    },
    rowCount,
    *blocks(): Iterable<RowBlock> {
      const step = 1 << 14;
      for (let from = 0; from < rowCount; from += step) {
        const count = Math.min(step, rowCount - from);
        yield {
          rowCount: count,
          columns: [
            { kind: 'numbers', numbers: Int32Array.from({ length: count }, (_, i) => from + i) },
            ...columns.map(({ series }) => series.read(from, count)),
          ],
        };
      }
    },
    describe: () => ({
      kind: 'rec-array',
      shape: [rowCount],
      columns: columns.map(({ original, name, series }) => ({ name: original, col: name, ...series.describe() })),
    }),
  };
}
