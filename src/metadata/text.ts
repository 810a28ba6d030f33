import type { Contents } from './contents.js';
import { metadataTables } from './tables.js';

/** A provenance file as lines that a diff can be read from: a block for each row, empty columns left out. */
export function contentsText(contents: Contents): string {
  const blocks = metadataTables.flatMap((table) =>
    (contents.get(table.name) ?? []).map((row) => {
      const key = table.key.map((column) => String(row[column])).join(' ');
      const lines = Object.keys(table.columns).flatMap((column) => {
        const value = row[column] ?? null;
        return table.key.includes(column) || value === null || value === '' ? [] : [`  ${column}: ${value}`];
      });
      return [`${table.name} ${key}`, ...lines].join('\n');
    }),
  );
  return blocks.length === 0 ? '' : `${blocks.join('\n\n')}\n`;
}
