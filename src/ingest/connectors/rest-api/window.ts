import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { createInterface } from 'node:readline';
import { type CursorValue, compareCursors, cursorBefore } from '../../../domain/api/cursor-value.js';
import type { Incremental } from '../../../domain/api/declaration.js';
import { pathText } from '../../../domain/api/json-path.js';
import { DiagnosticError } from '../../../domain/diagnostic.js';
import { spanAt } from '../../json-text.js';
import type { SetEntry } from '../../set-listing.js';

/** Says of each record whether it is new, and how far the new ones go. */
export class RecordWindow {
  /** From where on the interface is asked; undefined: for everything. */
  readonly from: CursorValue | undefined;
  readonly #name: string;
  readonly #incremental: Incremental;
  /** Of records that came before and may come again. */
  readonly #known = new Set<string>();
  #greatest: CursorValue | undefined;

  private constructor(name: string, incremental: Incremental, from: CursorValue | undefined) {
    this.#name = name;
    this.#incremental = incremental;
    this.from = from;
  }

  /**
   * Begins where the records that are here end, or a lag before.
   *
   * @param entries  files that are here; the version of each is its greatest cursor, as JSON
   * @param pathOf   where the file of an entry is
   * @throws DiagnosticError SL0515 where cursors have no order
   */
  static async open(
    name: string,
    incremental: Incremental,
    { entries, pathOf }: { readonly entries: readonly SetEntry[]; pathOf(entry: SetEntry): string },
  ): Promise<RecordWindow> {
    const compare = (a: CursorValue, b: CursorValue): number => ordered(name, incremental, a, b);
    let greatest: CursorValue | undefined;
    for (const entry of entries) {
      const own = cursorOf(entry.version);
      if (own !== undefined && (greatest === undefined || compare(own, greatest) > 0)) greatest = own;
    }
    const window = new RecordWindow(name, incremental, startOf(name, incremental, greatest, compare));
    const { from } = window;
    if (greatest === undefined && incremental.onMissing !== 'include') return window;
    for (const entry of entries) {
      const own = cursorOf(entry.version);
      const mayHave = from === undefined || own === undefined || compare(own, from) >= 0;
      if (!mayHave && incremental.onMissing !== 'include') continue;
      const lines = createInterface({ input: fs.createReadStream(pathOf(entry), 'utf8'), crlfDelay: 0 });
      for await (const line of lines) {
        const cursor = cursorIn(line, incremental);
        if (cursor === undefined || from === undefined || compare(cursor, from) >= 0) window.#known.add(markOf(line));
      }
    }
    return window;
  }

  /** The greatest cursor of what was new, as JSON; empty where none had one. */
  get version(): string {
    const cursor = this.#greatest;
    return cursor === undefined ? '' : cursor.type === 'number' ? cursor.text : JSON.stringify(cursor.text);
  }

  /** Whether a record is to be kept: new, or changed. @throws DiagnosticError SL0515 */
  takes(line: string): boolean {
    const { onMissing, cursor: path, location } = this.#incremental;
    const cursor = cursorIn(line, this.#incremental);
    if (cursor === undefined) {
      if (onMissing === 'exclude') return false;
      if (onMissing === 'include') return !this.#known.has(markOf(line));
      throw problem(
        this.#name,
        location,
        `a record has no ${pathText(path)}: ${line.length > 100 ? `${line.slice(0, 100)}…` : line}`,
        'on_missing include keeps such records, on_missing exclude leaves them out',
      );
    }
    if (this.from !== undefined && ordered(this.#name, this.#incremental, cursor, this.from) < 0) return false;
    if (this.#known.has(markOf(line))) return false;
    if (this.#greatest === undefined || ordered(this.#name, this.#incremental, cursor, this.#greatest) > 0)
      this.#greatest = cursor;
    return true;
  }
}

function startOf(
  name: string,
  incremental: Incremental,
  greatest: CursorValue | undefined,
  compare: (a: CursorValue, b: CursorValue) => number,
): CursorValue | undefined {
  const { initial, lag, location } = incremental;
  if (greatest === undefined) return initial;
  if (lag === undefined) return greatest;
  const before = cursorBefore(greatest, lag);
  if (before === undefined)
    throw problem(
      name,
      location,
      `there is no lag of ${lag} before the cursor ${greatest.text}`,
      "a date takes a time span (lag '1 day'), a number a number (lag 100), other texts none",
    );
  return initial !== undefined && compare(before, initial) < 0 ? initial : before;
}

function ordered(name: string, incremental: Incremental, a: CursorValue, b: CursorValue): number {
  const order = compareCursors(a, b);
  if (order !== undefined) return order;
  throw problem(
    name,
    incremental.location,
    `of the cursors ${a.text} and ${b.text} none comes first`,
    'the cursor, and "initial", are either all numbers or all texts',
  );
}

/** A value that can be ordered; undefined where the record has none. */
function cursorIn(line: string, { cursor }: Incremental): CursorValue | undefined {
  const span = spanAt(line, cursor);
  return span === undefined ? undefined : cursorOf(line.slice(span.start, span.end));
}

function cursorOf(json: string): CursorValue | undefined {
  if (/^-?\d/.test(json)) return { type: 'number', text: json };
  if (!json.startsWith('"')) return undefined;
  const text: unknown = JSON.parse(json);
  return typeof text === 'string' && text !== '' ? { type: 'text', text } : undefined;
}

function markOf(line: string): string {
  return createHash('sha256').update(line).digest('base64');
}

function problem(name: string, location: Incremental['location'], message: string, hint: string): DiagnosticError {
  return new DiagnosticError([
    { code: 'SL0515', severity: 'error', message: `source "${name}": ${message}`, location, hint },
  ]);
}
