import type { Json, JsonRecord } from '../domain/json.js';
import { type RowKind, type ValueKind, valueKinds } from '../domain/query-print.js';
import { planHash } from './plan-hash.js';

/** A hash with the leaves it was computed from. */
export interface Part {
  readonly hash: string;
  readonly rowSets: ReadonlySet<string>;
  readonly columns: ReadonlySet<string>;
}

/** Columns in a value, with the way in which they enter it. */
export type Sources = ReadonlyMap<string, ValueKind>;

/** One output column of an operator; `sources` are the columns in its value, `columns` those and what its hash depends on besides. */
export interface FlowColumn extends Part {
  readonly sources: Sources;
}

/** What an operator of the plan passes on. */
export interface Flow {
  readonly rows: Part;
  /** The order asked for, of no consequence unless a LIMIT follows. */
  readonly order: Part | undefined;
  readonly columns: readonly FlowColumn[];
}

/** The plan holds something that this version does not know. It becomes "lineage unknown", never a guess. */
export class UnknownPlanError extends Error {
  override readonly name = 'UnknownPlanError';
}

const nothing: ReadonlySet<string> = new Set();

export function part(hash: string, ...from: readonly Part[]): Part {
  return { hash, rowSets: unionOf(from.map((p) => p.rowSets)), columns: unionOf(from.map((p) => p.columns)) };
}

export function constantPart(hash: string): Part {
  return { hash, rowSets: nothing, columns: nothing };
}

/**
 * The order of rows that come from several inputs. DuckDB keeps the order of subqueries where it can, so that a LIMIT, a
 * window or a list above them depends on it.
 */
export function ordersOf(inputs: readonly Flow[]): Part | undefined {
  if (inputs.every((input) => input.order === undefined)) return undefined;
  const orders = inputs.map((input) => input.order ?? constantPart(''));
  return part(planHash('orders', ...orders.map((order) => order.hash)), ...orders);
}

/** The row set of what always has one row: an aggregate without groups, a SELECT without FROM. */
export const ONE_ROW: Part = constantPart('one row');

/**
 * A column whose value comes from `inputs` and whose hash depends on `alsoOn` besides (a row set, a condition).
 *
 * @param kind what is done to the inputs on the way; `copy` leaves them as they entered
 */
export function flowColumn(
  hash: string,
  inputs: readonly FlowColumn[],
  alsoOn: readonly Part[] = [],
  kind: ValueKind = 'copy',
): FlowColumn {
  const all = [...inputs, ...alsoOn];
  return {
    hash,
    sources: mergedSources(inputs, kind),
    rowSets: unionOf(all.map((p) => p.rowSets)),
    columns: unionOf(all.map((p) => p.columns)),
  };
}

const noSources: Sources = new Map();

function mergedSources(inputs: readonly FlowColumn[], kind: ValueKind): Sources {
  const filled = inputs.filter((input) => input.sources.size > 0);
  if (filled.length === 0) return noSources;
  if (filled.length === 1 && kind === 'copy') return filled[0]?.sources ?? noSources;
  const merged = new Map<string, ValueKind>();
  for (const { sources } of filled) {
    for (const [source, entered] of sources)
      merged.set(source, furthest(furthest(entered, kind), merged.get(source) ?? 'copy'));
  }
  return merged;
}

function furthest(a: ValueKind, b: ValueKind): ValueKind {
  return valueKinds.indexOf(a) >= valueKinds.indexOf(b) ? a : b;
}

export function unionOf(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  const filled = sets.filter((set) => set.size > 0);
  if (filled.length <= 1) return filled[0] ?? nothing;
  const union = new Set<string>();
  for (const set of filled) for (const item of set) union.add(item);
  return union;
}

export function at<T>(list: readonly T[], index: number, what: string): T {
  const item = list[index];
  if (item === undefined) throw new UnknownPlanError(`${what} ${index} lies outside ${list.length}`);
  return item;
}

/** Tags the columns of one side of a join, so that the same table on both sides stays two. */
export function tagged(tag: string, columns: readonly FlowColumn[]): readonly FlowColumn[] {
  return columns.map((column) => ({ ...column, hash: planHash(tag, column.hash) }));
}

export function picked<T>(list: readonly T[], indexes: readonly number[]): readonly T[] {
  return indexes.length === 0 ? list : indexes.map((index) => at(list, index, 'projected column'));
}

/** What the walk over a plan lends to the readers of single operators. */
export interface Walk {
  child(node: JsonRecord, index: number): Flow;
  columnsOf(expressions: Json, input: readonly FlowColumn[], tag?: string): readonly FlowColumn[];
  columnOf(expression: Json, input: readonly FlowColumn[], tag?: string, alsoOn?: readonly Part[]): FlowColumn;
  /** Notes that these columns decide which rows there are. */
  decideRows(columns: readonly FlowColumn[], kind: RowKind): void;
  /** Makes columns visible to the DELIM_GETs below while `visit` runs. */
  withDelim<T>(columns: readonly FlowColumn[], visit: () => T): T;
}
