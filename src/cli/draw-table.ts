import type { Cell } from '../effects/duckdb.js';
import type { Style } from './style.js';

const MAX_CELL = 60;

/** Rows as a table that fits the terminal: numbers to the right, long cells shortened, columns left out at the end when they do not fit. */
export function drawTable(
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
  layout: { readonly width: number; readonly style: Style },
): string {
  const { width, style } = layout;
  const cells = rows.map((row) => row.map(cellText));
  const isNumeric = columns.map(
    (_, at) =>
      rows.length > 0 &&
      rows.every((row) => row[at] === null || /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(cellText(row[at] ?? null))),
  );
  const widths = columns.map((name, at) =>
    Math.max(visibleLength(name), ...cells.map((row) => visibleLength(row[at] ?? ''))),
  );
  let fitting = 0;
  for (let used = 0; fitting < columns.length; fitting++) {
    used += (widths[fitting] ?? 0) + 2;
    if (used > width && fitting > 0) break;
  }
  const draw = (texts: readonly string[]): string =>
    texts
      .slice(0, fitting)
      .map((text, at) => (isNumeric[at] ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd();
  const left = columns.length - fitting;
  const lines = [
    style.bold(draw(columns)),
    style.dim(
      widths
        .slice(0, fitting)
        .map((length) => '─'.repeat(length))
        .join('  '),
    ),
    ...cells.map(draw),
  ];
  if (left > 0)
    lines.push(style.dim(`(${left} more ${left === 1 ? 'column' : 'columns'}: ${columns.slice(fitting).join(', ')})`));
  return `${lines.join('\n')}\n`;
}

export function cellText(cell: Cell): string {
  const text = cell === null ? 'NULL' : typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
  const oneLine = text.replaceAll('\n', '⏎');
  return oneLine.length > MAX_CELL ? `${oneLine.slice(0, MAX_CELL - 1)}…` : oneLine;
}

function visibleLength(text: string): number {
  return [...text].length;
}
