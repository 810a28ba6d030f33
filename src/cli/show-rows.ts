import type { Column } from '../domain/column.js';
import type { Cell } from '../effects/duckdb.js';
import type { CommandContext } from './command.js';
import { drawTable } from './draw-table.js';
import { showJson } from './report.js';
import { styleOf } from './style.js';

const SHOWN_ROWS = 50;

export interface ResultRows {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

/** Rows as a table for people, or as a JSON array with one object to a row. */
export function showRows(
  { shell, options }: CommandContext,
  { columns, rows }: ResultRows,
  limit: number | undefined,
): void {
  const names = uniqueNames(columns);
  if (options.json) {
    showJson(
      shell,
      rows.map((row) =>
        Object.fromEntries(names.map((name, at) => [name, jsonCell(row[at] ?? null, columns[at]?.type ?? '')])),
      ),
    );
    return;
  }
  const shown = limit === undefined ? rows.slice(0, SHOWN_ROWS) : rows;
  shell.out(drawTable(names, shown, { width: shell.columns, style: styleOf(shell.hasColor) }));
  const more = rows.length - shown.length;
  shell.out(
    `${rows.length.toLocaleString('en')} ${rows.length === 1 ? 'row' : 'rows'}${more > 0 ? `, ${more.toLocaleString('en')} not shown (--limit N, or --json for all)` : ''}\n`,
  );
}

/** Exact numbers come as text from the engine; those that JSON can hold exactly become numbers, the others stay text. */
export function jsonCell(cell: Cell, type: string): Cell {
  if (typeof cell !== 'string' || !/^(?:U?(?:BIGINT|HUGEINT)|DECIMAL)/.test(type)) return cell;
  const number = Number(cell);
  const plain = cell.includes('.') ? cell.replace(/\.?0+$/, '') : cell;
  return String(number) === plain && (cell.includes('.') || Number.isSafeInteger(number)) ? number : cell;
}

function uniqueNames(columns: readonly Column[]): readonly string[] {
  const seen = new Map<string, number>();
  return columns.map(({ name }) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}_${count}`;
  });
}
