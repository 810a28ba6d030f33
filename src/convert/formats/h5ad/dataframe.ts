import type { ElementKind } from '../../../domain/convert.js';
import type { RowBlock } from '../../../effects/parquet-writer.js';
import type { PlannedElement } from '../../element.js';
import { columnNames } from '../../names.js';
import type { H5adInput } from './input.js';
import { asText, RecordReader, type Series, seriesAt, seriesOfField } from './series.js';

/** A data frame of the file, its columns not yet read. */
export interface Frame {
  readonly path: string;
  readonly length: number;
  /** Name of the index; null for one without. */
  readonly indexName: string | null;
  readonly index: Series;
  readonly columns: readonly { readonly original: string; readonly series: Series }[];
}

export const MAX_ROWS = 2 ** 31 - 1;

/** Rows that are read and handed over at once. */
const ROWS_PER_BLOCK = 1 << 14;

/**
 * The data frame at a path: a group (anndata 0.7 and later), or a compound dataset (0.6 and earlier), whose first field
 * is the index and whose categories stand in `uns/<column>_categories`.
 */
export function frameAt(input: H5adInput, path: string): Frame {
  const kind = input.kind(path);
  if (kind === undefined) throw input.error('SL0628', path, 'is missing', 'this is no AnnData file');
  const frame = kind === 'group' ? frameOfGroup(input, path) : frameOfCompound(input, path);
  if (frame.length > MAX_ROWS) throw input.error('SL0627', path, `has ${frame.length} rows, ${MAX_ROWS} are the most`);
  for (const { original, series } of frame.columns) {
    if (series.length !== frame.length) {
      throw input.error('SL0624', `${path}/${original}`, `has ${series.length} rows, the index has ${frame.length}`);
    }
  }
  return frame;
}

function frameOfGroup(input: H5adInput, path: string): Frame {
  const encoding = input.encoding(path);
  if (encoding !== 'dataframe') {
    throw input.error('SL0623', path, `encoding-type "${encoding ?? 'none'}" where a data frame is expected`);
  }
  const indexPath = input.text(path, '_index');
  if (indexPath === undefined) throw input.error('SL0623', path, 'its attribute "_index" is missing');
  const order = input.attribute(path, 'column-order');
  const names = Array.isArray(order) ? order.map(String) : typeof order === 'string' ? [order] : [];
  const present = new Set(input.children(path).map((child) => child.name));
  for (const name of [indexPath, ...names]) {
    if (!present.has(name)) throw input.error('SL0628', `${path}/${name}`, 'is named by the data frame but missing');
  }
  const index = seriesAt(input, `${path}/${indexPath}`);
  return {
    path,
    length: index.length,
    indexName: indexPath === '_index' ? null : indexPath,
    index: asText(index),
    columns: names.map((name) => ({ original: name, series: seriesAt(input, `${path}/${name}`) })),
  };
}

function frameOfCompound(input: H5adInput, path: string): Frame {
  const encoding = input.encoding(path);
  if (encoding !== undefined && encoding !== 'rec-array') {
    throw input.error('SL0623', path, `encoding-type "${encoding}" where a data frame is expected`);
  }
  const dataset = input.dataset(path);
  if (dataset.type.class !== 'compound' || dataset.shape?.length !== 1) {
    throw input.error('SL0623', path, 'a data frame is expected');
  }
  const [indexField, ...fields] = dataset.type.fields;
  if (indexField === undefined) throw input.error('SL0623', path, 'a compound without fields');
  const records = new RecordReader(input, dataset);
  return {
    path,
    length: dataset.shape[0] ?? 0,
    indexName: indexField.name,
    index: asText(seriesOfField(input, records, indexField)),
    columns: fields.map((field) => {
      const categories = path === 'obs' || path === 'var' ? legacyCategories(input, field.name) : undefined;
      const isCode = field.type.class === 'integer' && categories !== undefined;
      return { original: field.name, series: seriesOfField(input, records, field, isCode ? categories : undefined) };
    }),
  };
}

function legacyCategories(input: H5adInput, column: string): { readonly path: string } | undefined {
  const path = `uns/${column}_categories`;
  return input.kind('uns') === 'group' && input.kind(path) === 'dataset' ? { path } : undefined;
}

/** Names in `uns` that hold categories of the compound tables `obs` and `var`. */
export function legacyCategoryNames(input: H5adInput): ReadonlySet<string> {
  const names = new Set<string>();
  for (const path of ['obs', 'var']) {
    if (input.kind(path) !== 'dataset') continue;
    const { type } = input.dataset(path);
    if (type.class !== 'compound') continue;
    for (const field of type.fields) if (field.type.class === 'integer') names.add(`${field.name}_categories`);
  }
  return names;
}

export interface FrameTarget {
  readonly path: string;
  readonly table: string;
  readonly kind: ElementKind;
  /** The 0-based row number. */
  readonly keyColumn: string;
  /** The index. */
  readonly nameColumn: string;
  /** Whether equal names deserve a warning. */
  readonly warnsOfDuplicates: boolean;
}

/** A data frame as a table: key, index, and its columns, renamed where names clash. */
export function frameElement(frame: Frame, target: FrameTarget): PlannedElement {
  const { keyColumn, nameColumn } = target;
  const names = columnNames(
    frame.columns.map(({ original }) => original),
    [keyColumn, nameColumn],
  );
  const columns = frame.columns.map(({ original, series }, i) => ({ original, series, name: names[i] ?? original }));
  return {
    schema: {
      path: target.path,
      table: target.table,
      kind: target.kind,
      columns: [
        { name: keyColumn, type: 'INTEGER' },
        { name: nameColumn, type: 'VARCHAR' },
        ...columns.map(({ name, series }) => ({ name, type: series.type })),
      ],
    },
    rowCount: frame.length,
    ...(target.warnsOfDuplicates ? { nameColumn } : {}),
    *blocks(): Iterable<RowBlock> {
      for (let from = 0; from < frame.length; from += ROWS_PER_BLOCK) {
        const count = Math.min(ROWS_PER_BLOCK, frame.length - from);
        const { index } = frame;
        yield {
          rowCount: count,
          columns: [
            { kind: 'numbers', numbers: Int32Array.from({ length: count }, (_, i) => from + i) },
            index.read(from, count),
            ...columns.map(({ series }) => series.read(from, count)),
          ],
        };
      }
    },
    describe: () => ({
      kind: 'dataframe',
      n: frame.length,
      index_name: frame.indexName,
      columns: columns.map(({ original, name, series }) => ({ name: original, col: name, ...series.describe() })),
    }),
  };
}

/** The rows of a whole compound dataset as columns: a rec-array of `uns`. */
export function recordColumns(input: H5adInput, path: string): Frame['columns'] {
  const dataset = input.dataset(path);
  if (dataset.type.class !== 'compound') throw input.error('SL0623', path, 'a rec-array is expected');
  const records = new RecordReader(input, dataset);
  return dataset.type.fields.map((field) => ({ original: field.name, series: seriesOfField(input, records, field) }));
}
