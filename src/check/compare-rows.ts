import type { Column } from '../domain/column.js';
import type { Cell } from '../effects/duckdb.js';

const MAX_PAIRED = 200;

/** Two sets of rows with the same columns. */
export interface ComparedRows {
  readonly columns: readonly Column[];
  readonly expected: readonly (readonly Cell[])[];
  readonly actual: readonly (readonly Cell[])[];
}

/** What is wrong with one result of a query. */
export interface RowDifferences {
  /** Rows that are there with other cells: `row` counts the expected ones from 1. */
  readonly cells: readonly {
    readonly row: number;
    readonly column: string;
    readonly expected: string;
    readonly actual: string;
  }[];
  /** Rows that are expected and not given, and the other way round, as text. */
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
}

/**
 * Compares rows as sets in which each counts as often as it occurs; their order does not matter. Rows that have no equal
 * are paired with those most like them: what differs is then a matter of cells.
 *
 * @returns undefined when they are equal
 */
export function compareRows({ columns, expected, actual }: ComparedRows): RowDifferences | undefined {
  const waiting = new Map<string, number[]>();
  for (const [at, row] of actual.entries()) {
    const key = JSON.stringify(row);
    waiting.set(key, [...(waiting.get(key) ?? []), at]);
  }
  const missing: number[] = [];
  for (const [at, row] of expected.entries())
    if (waiting.get(JSON.stringify(row))?.shift() === undefined) missing.push(at);
  const unexpected = [...waiting.values()].flat().sort((a, b) => a - b);
  if (missing.length + unexpected.length === 0) return undefined;
  // A test that differs in thousands of rows is not read cell by cell.
  const pairs = pairUp(missing.slice(0, MAX_PAIRED), unexpected.slice(0, MAX_PAIRED), (left, right) =>
    equalCells(expected[left] ?? [], actual[right] ?? []),
  );
  const cells = pairs.flatMap(([left, right]) =>
    columns.flatMap((column, at) => {
      const [wanted, given] = [expected[left]?.[at] ?? null, actual[right]?.[at] ?? null];
      return isSame(wanted, given)
        ? []
        : [{ row: left + 1, column: column.name, expected: cellText(wanted), actual: cellText(given) }];
    }),
  );
  const paired = { left: new Set(pairs.map(([left]) => left)), right: new Set(pairs.map(([, right]) => right)) };
  return {
    cells,
    missing: missing.filter((at) => !paired.left.has(at)).map((at) => rowText(columns, expected[at] ?? [])),
    unexpected: unexpected.filter((at) => !paired.right.has(at)).map((at) => rowText(columns, actual[at] ?? [])),
  };
}

/** The likest first; rows that have no cell in common stay alone. */
function pairUp(
  left: readonly number[],
  right: readonly number[],
  likeness: (left: number, right: number) => number,
): readonly (readonly [number, number])[] {
  const candidates = left
    .flatMap((one) => right.map((other) => ({ one, other, likeness: likeness(one, other) })))
    .filter((pair) => pair.likeness > 0)
    .sort((a, b) => b.likeness - a.likeness || a.one - b.one || a.other - b.other);
  const taken = { left: new Set<number>(), right: new Set<number>() };
  const pairs: (readonly [number, number])[] = [];
  for (const { one, other } of candidates) {
    if (taken.left.has(one) || taken.right.has(other)) continue;
    taken.left.add(one);
    taken.right.add(other);
    pairs.push([one, other]);
  }
  return pairs.sort(([a], [b]) => a - b);
}

function equalCells(left: readonly Cell[], right: readonly Cell[]): number {
  return left.filter((cell, at) => cell !== null && isSame(cell, right[at] ?? null)).length;
}

function isSame(left: Cell, right: Cell): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function rowText(columns: readonly Column[], row: readonly Cell[]): string {
  return columns.map((column, at) => `${column.name}: ${cellText(row[at] ?? null)}`).join(', ');
}

function cellText(cell: Cell): string {
  return cell === null ? 'NULL' : typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
}
