export interface RecordRules {
  /** The delimiter, the quote and the start of a comment line, one ASCII character each; no comment when undefined. */
  readonly delimiter: string;
  readonly quote: string;
  readonly comment: string | undefined;
  /** Physical lines before the first record. */
  readonly skippedLines: number;
  /** Empty lines are records of a table with one column, and nothing elsewhere. */
  readonly countsEmptyLines: boolean;
}

const NEWLINE = 10;
const RETURN = 13;

/**
 * Counts the records of a CSV text, a block at a time: an independent check of what DuckDB says it read (with the
 * options `skip` and `comment` together, for example, it leaves out records without an error).
 */
export class RecordCounter {
  readonly #delimiter: number;
  readonly #quote: number;
  readonly #comment: number;
  readonly #rules: RecordRules;
  #state: 'line start' | 'field start' | 'field' | 'quoted' | 'quote in quoted' | 'comment' = 'line start';
  #lineHasText = false;
  #lines = 0;
  #records = 0;

  constructor(rules: RecordRules) {
    this.#rules = rules;
    this.#delimiter = rules.delimiter.charCodeAt(0);
    this.#quote = rules.quote === '' ? -1 : rules.quote.charCodeAt(0);
    this.#comment = rules.comment === undefined ? -1 : rules.comment.charCodeAt(0);
  }

  add(block: Uint8Array): void {
    const hasQuotes = this.#quote >= 0 && block.indexOf(this.#quote) >= 0;
    for (let i = 0; i < block.length; i++) {
      const byte = block[i] ?? 0;
      switch (this.#state) {
        case 'line start':
          if (byte === NEWLINE) this.#endLine();
          else if (byte === RETURN) break;
          else if (byte === this.#comment) this.#state = 'comment';
          else if (byte === this.#quote && this.#lines >= this.#rules.skippedLines) this.#state = 'quoted';
          else this.#state = byte === this.#delimiter ? 'field start' : 'field';
          if (this.#state !== 'line start' && this.#state !== 'comment') this.#lineHasText = true;
          break;
        case 'field start':
          if (byte === NEWLINE) this.#endLine();
          else if (byte === this.#quote) this.#state = 'quoted';
          else if (byte !== this.#delimiter) this.#state = 'field';
          break;
        case 'field':
          if (byte === NEWLINE) this.#endLine();
          else if (byte === this.#delimiter && hasQuotes) this.#state = 'field start';
          else if (!hasQuotes) {
            // Nothing but the end of the line matters now: find it natively.
            const end = block.indexOf(NEWLINE, i);
            i = (end < 0 ? block.length : end) - 1;
            // The block may end right after a delimiter, before a quote of the next one.
            if (end < 0 && block[block.length - 1] === this.#delimiter) this.#state = 'field start';
          }
          break;
        case 'quoted':
          if (byte === this.#quote) this.#state = 'quote in quoted';
          break;
        case 'quote in quoted':
          if (byte === NEWLINE) this.#endLine();
          else if (byte === this.#delimiter) this.#state = 'field start';
          else this.#state = byte === this.#quote ? 'quoted' : 'field';
          break;
        case 'comment':
          if (byte === NEWLINE) {
            this.#state = 'line start';
            this.#lines++;
          }
          break;
      }
    }
  }

  /** Counts what stands after the last newline. */
  finish(): number {
    if (this.#lineHasText && this.#lines >= this.#rules.skippedLines) this.#records++;
    return this.#records;
  }

  #endLine(): void {
    const isRecord = this.#lineHasText || this.#rules.countsEmptyLines;
    if (isRecord && this.#lines >= this.#rules.skippedLines) this.#records++;
    this.#lines++;
    this.#lineHasText = false;
    this.#state = 'line start';
  }
}
