import type { RInput } from './input.js';
import { attribute, classesOf, hasClass, member, members, numbersOf, type RValue, textOf, textsOf } from './values.js';

/** A container of single-cell data, taken apart but not yet checked. Matrices are genes by cells. */
export interface Container {
  readonly kind: string;
  readonly cells: AxisParts;
  readonly genes: AxisParts;
  /** In order of preference for X. */
  readonly assays: readonly Assay[];
  readonly cellEmbeddings: readonly Named[];
  readonly geneEmbeddings: readonly Named[];
  readonly cellPairs: readonly Named[];
  readonly others: readonly { readonly name: string; readonly container: Container }[];
  readonly metadata: readonly Named[];
  /** Slots that hold something and are not converted. */
  readonly leftOut: readonly string[];
}

export interface AxisParts {
  readonly names: readonly (string | null)[] | undefined;
  /** A data.frame or DataFrame along the axis. */
  readonly table: RValue | undefined;
}

export interface Named {
  readonly name: string;
  readonly value: RValue;
}

export interface Assay extends Named {
  /** Which genes and cells its rows and columns are, where the matrix does not say. */
  readonly geneNames?: readonly (string | null)[];
  readonly cellNames?: readonly (string | null)[];
}

const MAX_NESTED = 4;

/** The container that a value is, by its slots: classes are subclassed and redefined, slots stay. */
export function containerOf(input: RInput, place: string, value: RValue, depth = 0): Container | undefined {
  if (depth > MAX_NESTED) throw input.error('SL0642', place, `experiments are nested more than ${MAX_NESTED} deep`);
  const has = (...slots: readonly string[]): boolean => slots.every((slot) => attribute(value, slot) !== undefined);
  if (has('assays', 'meta.data')) return seurat(input, place, value);
  if (has('assays', 'colData')) return experiment(input, place, value, depth);
  if (has('layers', 'cells', 'features')) return assayContainer(place, value, undefined);
  if (has('counts', 'data', 'meta.features')) return assayContainer(place, value, undefined);
  if (has('raw.data', 'data.info') || hasClass(value, 'seurat')) {
    throw input.error(
      'SL0641',
      place,
      'a Seurat object of version 2 or older',
      'update it in R: UpdateSeuratObject(x)',
    );
  }
  return undefined;
}

/** SummarizedExperiment and what extends it: SingleCellExperiment, cell_data_set. */
function experiment(input: RInput, place: string, value: RValue, depth: number): Container {
  const internal = attribute(attribute(value, 'int_colData'), 'listData');
  const inner = (name: string): readonly Named[] => {
    const found = member(internal, name) ?? attribute(value, name);
    return namedOf(attribute(found, 'listData') ?? found);
  };
  const ranges = attribute(value, 'rowRanges');
  const colData = attribute(value, 'colData');
  const assays = assayList(attribute(value, 'assays'));
  const geneNames =
    namesOf(attribute(value, 'NAMES')) ??
    namesOf(attribute(attribute(ranges, 'ranges'), 'NAMES')) ??
    namesOf(attribute(attribute(ranges, 'partitioning'), 'NAMES')) ??
    namesOf(attribute(attribute(value, 'elementMetadata'), 'rownames'));
  const rowTable = attribute(ranges, 'elementMetadata') ?? attribute(value, 'elementMetadata');
  return {
    kind: classesOf(value)[0] ?? 'SummarizedExperiment',
    cells: { names: namesOf(attribute(colData, 'rownames')), table: colData },
    genes: { names: geneNames, table: rowTable },
    assays,
    cellEmbeddings: inner('reducedDims'),
    geneEmbeddings: [],
    cellPairs: [],
    others: inner('altExps').flatMap(({ name, value: wrapped }) => {
      const own = attribute(wrapped, 'se') ?? wrapped;
      const container = containerOf(input, `${place}altExps/${name}`, own, depth + 1);
      return container === undefined ? [] : [{ name, container }];
    }),
    metadata: namedOf(attribute(value, 'metadata')),
    leftOut: [],
  };
}

/** Assays stand in a list, in a SimpleList, or (before 2019) in an environment. */
function assayList(value: RValue | undefined): readonly Assay[] {
  const inside = attribute(value, 'data') ?? environmentData(attribute(value, '.xData')) ?? value;
  return namedOf(attribute(inside, 'listData') ?? inside);
}

function environmentData(value: RValue | undefined): RValue | undefined {
  return value?.type === 'environment' ? value.variables.get('data') : undefined;
}

function namedOf(value: RValue | undefined): readonly Named[] {
  return members(value).map(([name, item]) => ({ name, value: item }));
}

function namesOf(value: RValue | undefined): readonly (string | null)[] | undefined {
  return value?.type === 'character' ? value.values : undefined;
}

/** Seurat 3 to 5: the active assay gives X and its layers, the others stand beside it. */
function seurat(input: RInput, place: string, value: RValue): Container {
  const assays = namedOf(attribute(value, 'assays'));
  const wanted = textOf(attribute(value, 'active.assay'));
  const active = assays.find(({ name }) => name === wanted) ?? assays[0];
  if (active === undefined) throw input.error('SL0642', place, 'a Seurat object without assays');
  const cellTable = attribute(value, 'meta.data');
  const cells: AxisParts = { names: rowNamesOf(cellTable), table: cellTable };
  const own = assayContainer(`${place}${active.name}`, active.value, cells);
  const reductions = namedOf(attribute(value, 'reductions'));
  const loadings = reductions.flatMap(({ name, value: reduction }): Named[] => {
    const found = attribute(reduction, 'feature.loadings');
    return isFilled(found) ? [{ name, value: found }] : [];
  });
  return {
    ...own,
    kind: 'Seurat',
    cells,
    cellEmbeddings: reductions.flatMap(({ name, value: reduction }): Named[] => {
      const found = attribute(reduction, 'cell.embeddings');
      return found === undefined ? [] : [{ name, value: found }];
    }),
    geneEmbeddings: loadings,
    cellPairs: namedOf(attribute(value, 'graphs')),
    others: assays
      .filter(({ name }) => name !== active.name)
      .map(({ name, value: assay }) => ({ name, container: assayContainer(`${place}${name}`, assay, cells) })),
    metadata: [
      ...namedOf(attribute(value, 'misc')),
      { name: 'active.assay', value: attribute(value, 'active.assay') ?? { type: 'null' } },
    ],
    leftOut: ['images', 'neighbors', 'commands', 'tools'].filter((slot) => members(attribute(value, slot)).length > 0),
  };
}

/** An Assay (slots counts, data, scale.data) or an Assay5 (a list of layers and two maps of names). */
function assayContainer(place: string, value: RValue, cells: AxisParts | undefined): Container {
  const isLayered = attribute(value, 'layers') !== undefined;
  const cellMap = attribute(value, 'cells');
  const geneMap = attribute(value, 'features');
  const geneTable = attribute(value, isLayered ? 'meta.data' : 'meta.features');
  const cellNames = isLayered ? mapNames(cellMap) : undefined;
  const geneNames = isLayered ? mapNames(geneMap) : rowNamesOf(geneTable);
  const layers = isLayered
    ? namedOf(attribute(value, 'layers')).map(({ name, value: layer }): Assay => {
        const ofCells = mapNames(cellMap, name);
        const ofGenes = mapNames(geneMap, name);
        return {
          name,
          value: layer,
          ...(ofGenes === undefined ? {} : { geneNames: ofGenes }),
          ...(ofCells === undefined ? {} : { cellNames: ofCells }),
        };
      })
    : ['counts', 'data', 'scale.data'].flatMap((name): Assay[] => {
        const slot = attribute(value, name);
        return isFilled(slot) ? [{ name, value: slot }] : [];
      });
  return {
    kind: classesOf(value)[0] ?? 'Assay',
    cells: cells ?? { names: cellNames, table: undefined },
    genes: { names: geneNames, table: geneTable },
    assays: layers,
    cellEmbeddings: [],
    geneEmbeddings: [],
    cellPairs: [],
    others: [],
    metadata: [],
    leftOut: members(attribute(value, 'misc')).length > 0 ? [`${place}@misc`] : [],
  };
}

/** Whether a matrix has rows and columns at all: Seurat fills unused slots with empty ones. */
function isFilled(value: RValue | undefined): value is RValue {
  const dim = numbersOf(attribute(value, 'Dim') ?? attribute(value, 'dim')) ?? [];
  return dim.length === 2 && dim.every((length) => length > 0);
}

/** Names in a LogMap: the rows of a logical matrix, all of them, or those of a layer. */
function mapNames(value: RValue | undefined, layer?: string): readonly (string | null)[] | undefined {
  const map = attribute(value, '.Data') ?? value;
  const [rows, columns] = members(attribute(map, 'dimnames') ?? attribute(value, 'dimnames')).map(([, item]) => item);
  const names = namesOf(rows);
  if (layer === undefined || names === undefined) return names;
  const column = textsOf(columns).indexOf(layer);
  if (column < 0 || map === undefined || !('values' in map) || map.type !== 'logical') return names;
  return names.filter((_, i) => map.values[column * names.length + i] === 1);
}

/** Row names of a data.frame, when they are texts. */
export function rowNamesOf(value: RValue | undefined): readonly (string | null)[] | undefined {
  return namesOf(attribute(value, 'row.names')) ?? namesOf(attribute(value, 'rownames'));
}
