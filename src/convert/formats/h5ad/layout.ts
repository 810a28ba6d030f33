import type { PlannedElement } from '../../element.js';
import { fileNamePart, Namer } from '../../names.js';
import { describeOrder, type MatrixOptions, matrixPath, matrixTableName } from '../../x-order.js';
import { type Frame, frameAt, frameElement, legacyCategoryNames } from './dataframe.js';
import {
  type Dense,
  type DenseTarget,
  denseAt,
  denseElement,
  denseOfField,
  embeddingElement,
  MAX_COLUMNS,
} from './dense.js';
import type { H5adInput } from './input.js';
import { type Sparse, sparseAt, sparseElement, sparseLayout } from './sparse.js';
import { unsElements } from './uns.js';

/** All tables of an h5ad file, planned from its metadata. */
export interface Layout {
  readonly cellCount: number;
  readonly geneCount: number;
  readonly elements: readonly PlannedElement[];
  readonly warnings: readonly string[];
}

interface Axis {
  /** Key column, name column and number of rows. */
  readonly key: 'cell_idx' | 'gene_idx';
  readonly name: 'obs_name' | 'var_name';
  readonly count: number;
}

interface Context extends MatrixOptions {
  readonly input: H5adInput;
  readonly namer: Namer;
}

const ROOT_NAMES = [
  'X',
  'obs',
  'var',
  'layers',
  'raw',
  'raw.X',
  'raw.var',
  'raw.varm',
  'obsm',
  'varm',
  'obsp',
  'varp',
  'uns',
];

/**
 * Finds every element of an AnnData file, of any version, and checks all dimensions against `obs` and `var`, before a
 * single value is read.
 *
 * @throws DiagnosticError naming the element
 */
export function layoutOf(input: H5adInput, options: MatrixOptions): Layout {
  const rootEncoding = input.encoding('');
  if (rootEncoding !== undefined && rootEncoding !== 'anndata') {
    throw input.error('SL0623', '', `encoding-type "${rootEncoding}" is no AnnData file`);
  }
  const unknown = input.children('').filter(({ name }) => !ROOT_NAMES.includes(name));
  const context: Context = { input, namer: new Namer(), ...options };
  const { sortMemoryBytes } = options;
  const obs = frameAt(input, 'obs');
  const vars = frameAt(input, 'var');
  const cells: Axis = { key: 'cell_idx', name: 'obs_name', count: obs.length };
  const genes: Axis = { key: 'gene_idx', name: 'var_name', count: vars.length };
  const moved = movedNeighbors(input, cells.count);
  const leftOut = new Set([...legacyCategoryNames(input), ...moved.map((name) => `neighbors/${name}`)]);
  const elements = [
    namedFrame(context, obs, { path: 'obs', axis: cells }),
    namedFrame(context, vars, { path: 'var', axis: genes }),
    ...matrix(context, { at: 'X', path: 'X', cells, genes }),
    ...below(input, 'layers').flatMap((path) => matrix(context, { at: path, path, cells, genes })),
    ...raw(context, cells),
    ...embeddings(context, { at: 'obsm', path: 'obsm', axis: cells }),
    ...embeddings(context, { at: 'varm', path: 'varm', axis: genes }),
    ...below(input, 'obsp').flatMap((path) => pairs(context, { at: path, path, axis: cells })),
    ...moved.flatMap((name) => pairs(context, { at: `uns/neighbors/${name}`, path: `obsp/${name}`, axis: cells })),
    ...below(input, 'varp').flatMap((path) => pairs(context, { at: path, path, axis: genes })),
    ...unsElements(input, { namer: context.namer, sortMemoryBytes, leftOut }),
  ];
  return {
    cellCount: cells.count,
    geneCount: genes.count,
    elements,
    warnings: unknown.map(({ name }) => `"${name}" at the root is no part of AnnData and was left out`),
  };
}

function tableOf({ namer }: Context, path: string): string {
  return namer.name(
    path
      .split('/')
      .map(fileNamePart)
      .join('__')
      .replace(/^raw__/, 'raw_'),
  );
}

function namedFrame(
  context: Context,
  frame: Frame,
  { path, axis }: { readonly path: string; readonly axis: Axis },
): PlannedElement {
  return frameElement(frame, {
    path,
    table: tableOf(context, path),
    kind: 'dataframe',
    keyColumn: axis.key,
    nameColumn: axis.name,
    warnsOfDuplicates: true,
  });
}

/** Paths right below a group that may be missing. */
function below(input: H5adInput, group: string): readonly string[] {
  const kind = input.kind(group);
  if (kind === undefined) return [];
  if (kind === 'dataset') throw input.error('SL0623', group, 'is a dataset, a group is expected');
  const encoding = input.encoding(group);
  if (encoding !== undefined && encoding !== 'dict')
    throw input.error('SL0623', group, `encoding-type "${encoding}" where a dict is expected`);
  return input.children(group).map(({ path }) => path);
}

/** What stands at a path: a sparse matrix, a dense array, or nothing (a null dataset). */
function arrayAt(input: H5adInput, path: string): { readonly sparse: Sparse } | { readonly dense: Dense } | undefined {
  const kind = input.kind(path);
  if (kind === undefined) return undefined;
  if (kind === 'group') {
    const layout = sparseLayout(input, path);
    if (layout === undefined) {
      throw input.error('SL0623', path, `a group with encoding-type "${input.encoding(path) ?? 'none'}" is no matrix`);
    }
    return { sparse: sparseAt(input, path, layout) };
  }
  const encoding = input.encoding(path);
  if (encoding === 'null' || input.dataset(path).shape === undefined) return undefined;
  if (encoding !== undefined && encoding !== 'array')
    throw input.error('SL0623', path, `encoding-type "${encoding}" is no matrix`);
  return { dense: denseAt(input, path) };
}

function checkShape(input: H5adInput, path: string, shape: readonly number[], wanted: readonly number[]): void {
  if (wanted.every((length, axis) => shape[axis] === length)) return;
  throw input.error('SL0624', path, `has shape ${shape.join(' x ')}, obs and var ask for ${wanted.join(' x ')}`);
}

type MatrixTarget = Omit<DenseTarget, 'kind'>;

interface MatrixPlace {
  /** Where it stands in the file, and what it is called. */
  readonly at: string;
  readonly path: string;
  readonly cells: Axis;
  readonly genes: Axis;
}

/** X, a layer, raw/X: sorted by gene unless told otherwise, because SQL asks for one gene across cells. */
function matrix(context: Context, { at, path, cells, genes }: MatrixPlace): readonly PlannedElement[] {
  const { input, sortMemoryBytes, matrixTables } = context;
  const array = arrayAt(input, at);
  if (array === undefined) return [];
  const table = tableOf(context, path);
  return matrixTables.map((one) => {
    const target = {
      path: matrixPath(path, one),
      table: one.role === 'main' ? table : context.namer.name(matrixTableName(table, one)),
      rowColumn: cells.key,
      columnColumn: genes.key,
      sortedBy: one.sortedBy === 'gene' ? 'column' : 'row',
      sortMemoryBytes,
    } as const;
    const element = matrixElement(input, array, { at, target, shape: [cells.count, genes.count] });
    return { ...element, describe: () => ({ ...element.describe(), ...describeOrder(path, one) }) };
  });
}

function matrixElement(
  input: H5adInput,
  array: { readonly sparse: Sparse } | { readonly dense: Dense },
  { at, target, shape }: { readonly at: string; readonly target: MatrixTarget; readonly shape: readonly number[] },
): PlannedElement {
  if ('sparse' in array) {
    checkShape(input, at, array.sparse.shape, shape);
    return sparseElement(input, array.sparse, { ...target, kind: 'sparse' });
  }
  const dense = asMatrix(array.dense, shape[1] ?? 0);
  if (dense.shape.length !== 2)
    throw input.error('SL0624', at, `has ${dense.shape.length} dimensions, two are expected`);
  checkShape(input, at, dense.shape, shape);
  return denseElement(dense, { ...target, kind: 'dense' });
}

/** anndata 0.6 and earlier squeezed a matrix with a single gene into one dimension. */
function asMatrix(dense: Dense, columnCount: number): Dense {
  return dense.shape.length === 1 && columnCount === 1 ? { ...dense, shape: [dense.rowCount, 1] } : dense;
}

/** raw/X, raw/var and raw/varm; anndata 0.6 and earlier put them at the root, with a dot. */
function raw(context: Context, cells: Axis): readonly PlannedElement[] {
  const { input } = context;
  const isGroup = input.kind('raw') === 'group';
  if (isGroup) input.encoding('raw');
  const at = (name: string): string => (isGroup ? `raw/${name}` : `raw.${name}`);
  if (input.kind(at('var')) === undefined) {
    if (input.kind(at('X')) !== undefined) throw input.error('SL0628', at('var'), 'is missing');
    return [];
  }
  const frame = frameAt(input, at('var'));
  const genes: Axis = { key: 'gene_idx', name: 'var_name', count: frame.length };
  return [
    ...matrix(context, { at: at('X'), path: 'raw/X', cells, genes }),
    namedFrame(context, frame, { path: 'raw/var', axis: genes }),
    ...embeddings(context, { at: at('varm'), path: 'raw/varm', axis: genes }),
  ];
}

interface EmbeddingPlace {
  readonly at: string;
  readonly path: string;
  readonly axis: Axis;
}

/** obsm and varm: arrays, sparse matrices and data frames along one axis. */
function embeddings(context: Context, { at, path, axis }: EmbeddingPlace): readonly PlannedElement[] {
  const { input } = context;
  if (input.kind(at) === 'dataset') {
    // anndata 0.6 and earlier: one compound dataset with an array member for each.
    const dataset = input.dataset(at);
    if (dataset.shape === undefined) return [];
    if (dataset.type.class !== 'compound') throw input.error('SL0623', at, 'a compound dataset is expected');
    checkShape(input, at, dataset.shape, [axis.count]);
    return dataset.type.fields.map((field) => {
      const own = `${path}/${field.name}`;
      const target = { path: own, table: tableOf(context, own), kind: 'embedding', rowColumn: axis.key } as const;
      return embeddingElement(denseOfField(input, dataset, field), target);
    });
  }
  return below(input, at).flatMap((child) =>
    embedding(context, { at: child, path: path + child.slice(at.length), axis }),
  );
}

function embedding(context: Context, { at, path, axis }: EmbeddingPlace): readonly PlannedElement[] {
  const { input, sortMemoryBytes } = context;
  if (input.kind(at) === 'group' && input.encoding(at) === 'dataframe') {
    const frame = frameAt(input, at);
    checkShape(input, at, [frame.length], [axis.count]);
    const table = tableOf(context, path);
    return [
      frameElement(frame, {
        path,
        table,
        kind: 'dataframe',
        keyColumn: axis.key,
        nameColumn: axis.name,
        warnsOfDuplicates: false,
      }),
    ];
  }
  const array = arrayAt(input, at);
  if (array === undefined) return [];
  const target = {
    path,
    table: tableOf(context, path),
    rowColumn: axis.key,
    columnColumn: 'col_idx',
    sortedBy: 'row',
    kind: 'embedding',
    sortMemoryBytes,
  } as const;
  if ('sparse' in array) {
    checkShape(input, at, array.sparse.shape, [axis.count]);
    return [sparseElement(input, array.sparse, target)];
  }
  checkShape(input, at, array.dense.shape, [axis.count]);
  const { dense } = array;
  if (dense.columnCount <= MAX_COLUMNS) return [embeddingElement(dense, target)];
  if (dense.shape.length > 2)
    throw input.error('SL0629', at, `an array of shape ${dense.shape.join(' x ')} is not supported`);
  return [denseElement(dense, target)];
}

/** obsp and varp: matrices between an axis and itself. */
function pairs(context: Context, { at, path, axis }: EmbeddingPlace): readonly PlannedElement[] {
  const { input, sortMemoryBytes } = context;
  const array = arrayAt(input, at);
  if (array === undefined) return [];
  const target = {
    path,
    table: tableOf(context, path),
    rowColumn: axis.key,
    columnColumn: `${axis.key}_2`,
    sortedBy: 'row',
    kind: 'pairs',
    sortMemoryBytes,
  } as const;
  if ('sparse' in array) {
    checkShape(input, at, array.sparse.shape, [axis.count, axis.count]);
    return [sparseElement(input, array.sparse, target)];
  }
  const dense = asMatrix(array.dense, axis.count);
  if (dense.shape.length !== 2)
    throw input.error('SL0624', at, `has ${dense.shape.length} dimensions, two are expected`);
  checkShape(input, at, dense.shape, [axis.count, axis.count]);
  return [denseElement(dense, target)];
}

/** Neighbour graphs that older files keep in `uns`; anndata itself moves them to `obsp` when it reads. */
function movedNeighbors(input: H5adInput, cellCount: number): readonly string[] {
  if (input.kind('uns') !== 'group' || input.kind('uns/neighbors') !== 'group') return [];
  return ['distances', 'connectivities'].filter((name) => {
    const path = `uns/neighbors/${name}`;
    const kind = input.kind(path);
    if (kind === undefined || input.kind(`obsp/${name}`) !== undefined) return false;
    if (kind === 'group' && sparseLayout(input, path) === undefined) return false;
    const array = arrayAt(input, path);
    if (array === undefined) return false;
    const shape = 'sparse' in array ? array.sparse.shape : array.dense.shape;
    return shape.length === 2 && shape[0] === cellCount && shape[1] === cellCount;
  });
}
