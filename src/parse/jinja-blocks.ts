import type { TextFile } from '../domain/location.js';

/** A Jinja block of a file: `JINJA_QUERY_BEGIN; … JINJA_END;` or `JINJA_STATEMENT_BEGIN; … JINJA_END;`. */
export interface JinjaBlock {
  readonly type: 'query' | 'statement';
  /** The template between the marks. */
  readonly template: string;
  /** Offsets of the whole block, marks included. */
  readonly start: number;
  readonly end: number;
}

const block = /JINJA_(QUERY|STATEMENT)_BEGIN\s*;([\s\S]*?)JINJA_END\s*;?/gi;

/** @returns the blocks of a file in their order */
export function jinjaBlocks(file: TextFile): readonly JinjaBlock[] {
  if (!/JINJA_/i.test(file.text)) return [];
  return [...file.text.matchAll(block)].map((found) => ({
    type: (found[1] ?? '').toUpperCase() === 'QUERY' ? 'query' : 'statement',
    template: found[2] ?? '',
    start: found.index,
    end: found.index + found[0].length,
  }));
}

/** The text with one word and a semicolon in place of each block: a template need not be made of whole SQL tokens. */
export function maskJinja(text: string, blocks: readonly JinjaBlock[]): string {
  let masked = '';
  let copied = 0;
  for (const { start, end } of blocks) {
    const inside = text.slice(start + 5, end - 1).replace(/[^\n]/g, ' ');
    masked += `${text.slice(copied, start)}jinja${inside};`;
    copied = end;
  }
  return masked + text.slice(copied);
}
