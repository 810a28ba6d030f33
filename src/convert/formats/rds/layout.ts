import type { PlannedElement } from '../../element.js';
import { axisFrame, memoryTable } from '../../memory-table.js';
import { fileNamePart, type Namer } from '../../names.js';
import { describeOrder, type MatrixOptions, matrixPath, matrixTableName } from '../../x-order.js';
import { vectorColumn } from './columns.js';
import { type Assay, type AxisParts, type Container, containerOf, type Named } from './containers.js';
import { embeddingElement, type Leaf, leavesElement, matrixElement } from './elements.js';
import { frameOf, rowCountOf } from './frames.js';
import type { RInput } from './input.js';
import { toJson } from './json.js';
import { type AxisTexts, isMatrix, matrixOf, type RMatrix } from './matrices.js';
import type { Placement } from './sparse-entries.js';
import { attribute, describeValue, hasClass, members, numbersOf, type RValue, textsOf } from './values.js';

/** All tables of an R object, or of the objects of an RData file. */
export interface Layout {
  readonly elements: readonly PlannedElement[];
  /** Numbers of cells and genes, where the file is one experiment. */
  readonly shape: { readonly cellCount: number; readonly geneCount: number } | undefined;
}

interface Context extends MatrixOptions {
  readonly input: RInput;
  readonly namer: Namer;
  readonly elements: PlannedElement[];
  readonly leaves: Leaf[];
}

export interface LayoutOptions extends MatrixOptions {
  readonly namer: Namer;
  /** Name of the only table of a file that holds no more. */
  readonly tableName: string;
}

const MAX_LIST_DEPTH = 32;
const MAX_TABLES = 10_000;

/**
 * The tables of one object.
 *
 * @throws DiagnosticError (SL0641 nothing that can become a table, SL0642 inconsistent)
 */
export function layoutOfObject(input: RInput, value: RValue, options: LayoutOptions): Layout {
  const context: Context = { input, ...options, elements: [], leaves: [] };
  if (value.type === 'opaque' || value.type === 'environment' || value.type === 'symbol' || value.type === 'null') {
    throw input.error(
      'SL0641',
      '',
      `holds ${value.type === 'opaque' ? `a ${value.what}` : describeValue(value)}, which is no data`,
      'save a data frame, a matrix, a list or a single-cell object',
    );
  }
  const shape = experimentAt(context, '', value);
  if (shape === undefined && !tableAt(context, { path: 'table', table: options.tableName, value })) {
    if (value.type !== 'list' && value.type !== 'pairs') {
      throw input.error('SL0641', '', `an object of class ${describeValue(value)} is not supported`);
    }
    listAt(context, '', value, 0);
  }
  addLeaves(context);
  return { elements: context.elements, shape };
}

/** The tables of several objects, each below its name. */
export function layoutOfObjects(input: RInput, objects: readonly Named[], options: LayoutOptions): Layout {
  const context: Context = { input, ...options, elements: [], leaves: [] };
  for (const { name, value } of objects) memberAt(context, name, value, 0);
  addLeaves(context);
  return { elements: context.elements, shape: undefined };
}

function addLeaves(context: Context): void {
  const { leaves, elements, namer } = context;
  if (leaves.length > 0) elements.push(leavesElement(leaves, 'uns', namer.name('uns')));
}

function tableOf({ namer }: Context, path: string): string {
  return namer.name(path.split('/').map(fileNamePart).join('__'));
}

/** A member of a list, at its path: an experiment, a table, a list or a leaf. */
function memberAt(context: Context, path: string, value: RValue, depth: number): void {
  if (context.elements.length > MAX_TABLES) {
    throw context.input.error('SL0643', path, `the file holds more than ${MAX_TABLES} tables`);
  }
  if (experimentAt(context, `${path}/`, value) !== undefined) return;
  if (tableAt(context, { path, table: undefined, value })) return;
  if (value.type === 'list' && attribute(value, 'names') !== undefined && depth < MAX_LIST_DEPTH) {
    listAt(context, `${path}/`, value, depth + 1);
    return;
  }
  leafAt(context, path, value);
}

function listAt(context: Context, prefix: string, value: RValue, depth: number): void {
  for (const [name, item] of members(value)) memberAt(context, `${prefix}${name}`, item, depth);
}

function leafAt({ leaves }: Context, path: string, value: RValue): void {
  const length = 'values' in value ? value.values.length : null;
  leaves.push({
    path,
    kind: length === 1 ? 'scalar' : length === null ? 'opaque' : 'array',
    dtype: describeValue(value),
    shape: numbersOf(attribute(value, 'dim')) ?? (length === null ? null : [length]),
    json: () => toJson(value),
  });
}

/** Vectors up to this length stand among the leaves of a list. */
const LEAF_LENGTH = 1000;

/** A data frame, or a vector, as one table; false for anything else. */
function tableAt(
  context: Context,
  at: { readonly path: string; readonly table: string | undefined; readonly value: RValue },
): boolean {
  const { input, elements } = context;
  const { path, value } = at;
  const listData = attribute(value, 'listData');
  const isFrame =
    hasClass(value, 'data.frame') || (value.type === 'S4' && listData !== undefined && hasFrameSlots(value));
  if (isFrame) {
    const { rowCount, names, columns } = frameOf(input, path, value);
    const keys =
      names === undefined
        ? []
        : [{ column: { name: 'row_name', type: 'VARCHAR' }, values: { kind: 'texts', texts: names } } as const];
    const table = at.table ?? tableOf(context, path);
    elements.push(memoryTable({ path, table, kind: 'table', rowCount, keys, columns, description: { kind: 'table' } }));
    return true;
  }
  if (!('values' in value) || value.type === 'list') return false;
  const isWhole = at.table !== undefined;
  if (!isWhole && value.values.length <= LEAF_LENGTH) return false;
  if (attribute(value, 'dim') !== undefined) return false;
  const length = value.type === 'complex' ? value.values.length / 2 : value.values.length;
  const names = textsOf(attribute(value, 'names'));
  elements.push(
    memoryTable({
      path,
      table: at.table ?? tableOf(context, path),
      kind: 'table',
      rowCount: length,
      keys:
        names.length === length && length > 0
          ? [{ column: { name: 'name', type: 'VARCHAR' }, values: { kind: 'texts', texts: names } }]
          : [],
      columns: [vectorColumn(input, path, 'value', value)],
      description: { kind: 'table' },
    }),
  );
  return true;
}

function hasFrameSlots(value: RValue): boolean {
  return attribute(value, 'nrows') !== undefined;
}

/** A single-cell container or a matrix of genes by cells, below a prefix that is empty or ends in a slash. */
function experimentAt(context: Context, prefix: string, value: RValue): Layout['shape'] {
  const { input } = context;
  const container = containerOf(input, prefix, value);
  if (container !== undefined) return containerAt(context, prefix, container);
  if (!isMatrix(value)) return undefined;
  return containerAt(context, prefix, {
    kind: 'matrix',
    cells: { names: undefined, table: undefined },
    genes: { names: undefined, table: undefined },
    assays: [{ name: 'X', value }],
    cellEmbeddings: [],
    geneEmbeddings: [],
    cellPairs: [],
    others: [],
    metadata: [],
    leftOut: [],
  });
}

interface Axis {
  readonly key: 'cell_idx' | 'gene_idx';
  readonly names: readonly (string | null)[];
  readonly positions: ReadonlyMap<string, number>;
  readonly count: number;
}

function containerAt(context: Context, prefix: string, container: Container): NonNullable<Layout['shape']> {
  const { input, elements } = context;
  const matrices = container.assays.map((assay) => ({
    assay,
    matrix: matrixOf(input, `${prefix}${assay.name}`, assay.value),
  }));
  const genes = axisOf(context, prefix, {
    parts: container.genes,
    key: 'gene_idx',
    found: matrices.map(({ assay, matrix }) => ({ names: assay.geneNames ?? matrix.rowNames, count: matrix.rowCount })),
  });
  const cells = axisOf(context, prefix, {
    parts: container.cells,
    key: 'cell_idx',
    found: matrices.map(({ assay, matrix }) => ({
      names: assay.cellNames ?? matrix.columnNames,
      count: matrix.columnCount,
    })),
  });
  frameAt(context, `${prefix}obs`, cells, container.cells.table);
  frameAt(context, `${prefix}var`, genes, container.genes.table);
  const main = matrices.find(({ assay }) => assay.name === 'counts') ?? matrices[0];
  for (const found of main === undefined ? [] : [main, ...matrices.filter((other) => other !== main)]) {
    const path = found === main ? `${prefix}X` : `${prefix}layers/${found.assay.name}`;
    const table = tableOf(context, path);
    for (const order of context.matrixTables) {
      elements.push(
        matrixElement(found.matrix, {
          path: matrixPath(path, order),
          table: order.role === 'main' ? table : context.namer.name(matrixTableName(table, order)),
          geneCount: genes.count,
          cellCount: cells.count,
          placement: placementOf(input, found.assay, found.matrix, { genes, cells }),
          sortMemoryBytes: context.sortMemoryBytes,
          sortedBy: order.sortedBy,
          describeOrder: describeOrder(path, order),
        }),
      );
    }
  }
  for (const one of container.cellEmbeddings) embeddingAt(context, `${prefix}obsm/${one.name}`, one, cells);
  for (const one of container.geneEmbeddings) embeddingAt(context, `${prefix}varm/${one.name}`, one, genes);
  for (const one of container.cellPairs) pairsAt(context, `${prefix}obsp/${one.name}`, one, cells);
  for (const { name, container: other } of container.others) containerAt(context, `${prefix}altExps/${name}/`, other);
  for (const { name, value } of container.metadata) leafAt(context, `${prefix}metadata/${name}`, value);
  for (const slot of container.leftOut) input.warn(`${prefix}${slot}`, 'is not converted');
  return { cellCount: cells.count, geneCount: genes.count };
}

/** Length and names of an axis: from its own table, or from the matrices, which must agree where they have no names. */
function axisOf(
  context: Context,
  prefix: string,
  from: {
    readonly parts: AxisParts;
    readonly key: Axis['key'];
    readonly found: readonly { readonly names: AxisTexts | undefined; readonly count: number }[];
  },
): Axis {
  const { input } = context;
  const { parts, key, found } = from;
  const what = key === 'cell_idx' ? 'cells' : 'genes';
  const tableRows = parts.table === undefined ? undefined : rowCountOf(parts.table);
  const named = found.find(({ names }) => names !== null && names !== undefined);
  const names = parts.names ?? named?.names ?? undefined;
  const count = names?.length ?? tableRows ?? found[0]?.count ?? 0;
  if (tableRows !== undefined && tableRows !== count) {
    throw input.error('SL0642', `${prefix}${what}`, `there are ${count}, their table has ${tableRows} rows`);
  }
  if (names === undefined && count > MAX_UNNAMED) {
    throw input.error('SL0643', `${prefix}${what}`, `there are ${count} without names, ${MAX_UNNAMED} are the most`);
  }
  const texts = names ?? Array.from({ length: count }, (_, i) => String(i));
  if (names === undefined) input.warn(`${prefix}${what}`, 'have no names: they are numbered from 0');
  const positions = new Map<string, number>();
  for (const [i, name] of texts.entries()) if (name !== null && !positions.has(name)) positions.set(name, i);
  return { key, names: texts, positions, count };
}

const MAX_UNNAMED = 10_000_000;

function frameAt(context: Context, path: string, axis: Axis, table: RValue | undefined): void {
  const columns =
    table === undefined || members(attribute(table, 'listData') ?? table).length === 0
      ? []
      : frameOf(context.input, path, table).columns;
  context.elements.push(
    axisFrame({
      path,
      table: tableOf(context, path),
      key: axis.key,
      names: axis.names,
      columns,
      indexName: null,
      warnsOfDuplicates: true,
    }),
  );
}

function placementOf(
  input: RInput,
  assay: Assay,
  matrix: RMatrix,
  axes: { readonly genes: Axis; readonly cells: Axis },
): Placement {
  const { place } = matrix;
  const rows = placesOf(input, place, {
    names: assay.geneNames ?? matrix.rowNames,
    count: matrix.rowCount,
    axis: axes.genes,
  });
  const columns = placesOf(input, place, {
    names: assay.cellNames ?? matrix.columnNames,
    count: matrix.columnCount,
    axis: axes.cells,
  });
  return { ...(rows === undefined ? {} : { rows }), ...(columns === undefined ? {} : { columns }) };
}

/** Where the rows of a part stand along an axis, by their names; undefined when they are the axis itself. */
function placesOf(
  input: RInput,
  place: string,
  part: { readonly names: AxisTexts | undefined; readonly count: number; readonly axis: Axis },
): Int32Array | undefined {
  const { names, count, axis } = part;
  const what = axis.key === 'cell_idx' ? 'cells' : 'genes';
  if (names === null || names === undefined) {
    if (count === axis.count) return undefined;
    throw input.error('SL0642', place, `has ${count} ${what} without names, the whole has ${axis.count}`);
  }
  if (names.length !== count)
    throw input.error('SL0642', place, `has ${count} ${what} and ${names.length} names of them`);
  if (count === axis.count && names.every((name, i) => name === axis.names[i])) return undefined;
  const places = Int32Array.from(names, (name) => (name === null ? -1 : (axis.positions.get(name) ?? -1)));
  const lost = places.indexOf(-1);
  // Names that are spelt otherwise are still in order when there are as many of them.
  if (lost >= 0 && count === axis.count) {
    input.warn(place, `its ${what} are named otherwise (${names[lost] ?? 'NA'}); they were taken in order`);
    return undefined;
  }
  if (lost >= 0) throw input.error('SL0642', place, `"${names[lost] ?? 'NA'}" is none of its ${what}`);
  if (new Set(places).size !== places.length) {
    throw input.error('SL0642', place, `names of its ${what} are repeated, so it is not clear which they are`);
  }
  return places;
}

function embeddingAt(context: Context, path: string, one: Named, axis: Axis): void {
  const { input, elements } = context;
  if (hasClass(one.value, 'data.frame')) {
    frameAt(context, path, axis, one.value);
    return;
  }
  if (!isMatrix(one.value)) {
    input.warn(path, `a ${describeValue(one.value)} is not converted`);
    return;
  }
  const matrix = matrixOf(input, path, one.value);
  if (matrix.content.kind !== 'dense') {
    input.warn(path, 'a sparse embedding is not converted');
    return;
  }
  const rowPlaces = placesOf(input, path, { names: matrix.rowNames, count: matrix.rowCount, axis });
  elements.push(
    embeddingElement(matrix, matrix.content.values, { path, table: tableOf(context, path), key: axis.key, rowPlaces }),
  );
}

/** A graph between cells: both axes are the cells. */
function pairsAt(context: Context, path: string, one: Named, cells: Axis): void {
  const { input, elements } = context;
  if (!isMatrix(one.value)) {
    input.warn(path, `a ${describeValue(one.value)} is not converted`);
    return;
  }
  const matrix = matrixOf(input, path, one.value);
  const places = (names: AxisTexts, count: number): Int32Array | undefined =>
    placesOf(input, path, { names, count, axis: cells });
  const rows = places(matrix.rowNames, matrix.rowCount);
  const columns = places(matrix.columnNames, matrix.columnCount);
  const element = matrixElement(matrix, {
    path,
    table: tableOf(context, path),
    geneCount: cells.count,
    cellCount: cells.count,
    placement: { ...(rows === undefined ? {} : { rows }), ...(columns === undefined ? {} : { columns }) },
    sortMemoryBytes: context.sortMemoryBytes,
    sortedBy: 'gene',
    describeOrder: {},
  });
  const [, , value] = element.schema.columns;
  elements.push({
    ...element,
    schema: {
      ...element.schema,
      kind: 'pairs',
      columns: [
        { name: 'cell_idx', type: 'INTEGER' },
        { name: 'cell_idx_2', type: 'INTEGER' },
        ...(value === undefined ? [] : [value]),
      ],
    },
  });
}
