import type { Diagnostic } from './diagnostic.js';
import { asPair, asText, type Fragment, listItems, type Pair, spanOf } from './fragment.js';
import { locate, type Span, type TextFile } from './location.js';
import { didYouMean } from './near-miss.js';

/**
 * Reads the properties of a header block or of a kind, and notes what is wrong with them. A name counts as known once it
 * has been asked for; `finish` then reports the others, so that a list of known names is never kept twice.
 */
export class PropertyReader {
  readonly file: TextFile;
  readonly owner: string;
  readonly ownerSpan: Span;
  readonly #defaults: Readonly<Record<string, Fragment>>;
  readonly #pairs = new Map<string, Pair>();
  readonly #asked = new Set<string>();
  readonly #found: Diagnostic[] = [];
  readonly #hidden: Set<string>;

  /** @param owner how messages call the block: `MODEL`, `kind FULL` */
  constructor(block: {
    readonly file: TextFile;
    readonly owner: string;
    readonly ownerSpan: Span;
    readonly properties: readonly Fragment[];
    /** What counts for a property that the block does not give. */
    readonly defaults?: Readonly<Record<string, Fragment>>;
    /** The reader of the block that this one is a part of: what is hidden in one is hidden in both. */
    readonly outer?: PropertyReader;
  }) {
    this.#hidden = block.outer === undefined ? new Set() : block.outer.#hidden;
    this.file = block.file;
    this.owner = block.owner;
    this.ownerSpan = block.ownerSpan;
    this.#defaults = block.defaults ?? {};
    for (const property of block.properties) this.#add(property);
  }

  #add(property: Fragment): void {
    const pair = asPair(property);
    if (pair === undefined) {
      this.report('SL0102', spanOf(property), `expected a property name in ${this.owner}`);
      return;
    }
    const key = pair.name.toLowerCase();
    const earlier = this.#pairs.get(key);
    if (earlier !== undefined) {
      const related = [{ message: 'first given here', location: locate(this.file, earlier.nameSpan) }];
      this.#found.push({ ...this.#diagnostic('SL0106', pair.nameSpan, `property "${key}" is given twice`), related });
    } else if (pair.value.tokens.length === 0) {
      this.report('SL0105', pair.nameSpan, `property "${key}" has no value`);
      this.#asked.add(key);
    } else this.#pairs.set(key, pair);
  }

  get diagnostics(): readonly Diagnostic[] {
    return this.#hidden.size === 0 ? this.#found : this.#found.map((diagnostic) => this.#withoutHidden(diagnostic));
  }

  /** Keeps a text out of all that is said of the block: a secret that should not be there. */
  hide(text: string): void {
    // Shorter ones are parts of every word.
    if (text.length >= 4) this.#hidden.add(text);
  }

  #withoutHidden(diagnostic: Diagnostic): Diagnostic {
    const clean = (text: string): string => {
      let masked = text;
      // As long as before: marks below the line stay where they belong.
      for (const hidden of this.#hidden) masked = masked.replaceAll(hidden, '*'.repeat(hidden.length));
      return masked;
    };
    const { location, message } = diagnostic;
    return {
      ...diagnostic,
      message: clean(message),
      ...(location === undefined ? {} : { location: { ...location, text: clean(location.text) } }),
    };
  }

  /** Names that stand in the block, lower case. */
  get names(): readonly string[] {
    return [...this.#pairs.keys()];
  }

  fragment(name: string): Fragment | undefined {
    this.#asked.add(name);
    return this.#pairs.get(name)?.value ?? this.#defaults[name];
  }

  text(name: string): string | undefined {
    const value = this.fragment(name);
    const [first, second] = value?.tokens ?? [];
    if (first?.type === 'string' && second !== undefined) {
      const span = { start: second.start, end: second.end };
      this.report(
        'SL0105',
        span,
        `"${name}" goes on after its string ends`,
        "write '' for a quote inside a string, and a comma before the next property",
      );
    }
    return value === undefined ? undefined : asText(value);
  }

  /** Reports and returns an empty fragment's stand-in (undefined) when a property that must be there is not. */
  required(name: string, hint: string): Fragment | undefined {
    const value = this.fragment(name);
    if (value === undefined) this.report('SL0104', this.ownerSpan, `${this.owner} needs "${name}"`, hint);
    return value;
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.fragment(name);
    if (value === undefined) return fallback;
    const word = asText(value).toLowerCase();
    if (word === 'true' || word === 'false') return word === 'true';
    this.report('SL0105', spanOf(value), `"${name}" is true or false, not ${asText(value)}`);
    return fallback;
  }

  /** A whole number of at least `minimum`. */
  count(name: string, minimum: number): number | undefined {
    const value = this.fragment(name);
    if (value === undefined) return undefined;
    const number = Number(asText(value));
    if (Number.isInteger(number) && number >= minimum) return number;
    this.report('SL0105', spanOf(value), `"${name}" is a whole number of at least ${minimum}, not ${asText(value)}`);
    return undefined;
  }

  oneOf<T extends string>(name: string, options: readonly T[], fallback: T): T {
    const value = this.fragment(name);
    if (value === undefined) return fallback;
    const word = asText(value).toLowerCase();
    const option = options.find((candidate) => candidate.toLowerCase() === word);
    if (option !== undefined) return option;
    const message = `"${name}" is one of ${options.join(', ')}, not ${asText(value)}`;
    this.report('SL0105', spanOf(value), message, didYouMean(word, options));
    return fallback;
  }

  /** Items of a list; empty when the property is not given. */
  list(name: string): readonly Fragment[] {
    const value = this.fragment(name);
    return value === undefined ? [] : listItems(value);
  }

  texts(name: string): readonly string[] {
    return this.list(name).map(asText);
  }

  /** Named values of a parenthesised list: `(a = 1, b = 'x')`. */
  pairs(name: string): readonly Pair[] {
    return this.list(name).flatMap((item) => {
      const pair = asPair(item);
      if (pair !== undefined && pair.value.tokens.length > 0) return [pair];
      this.report('SL0105', spanOf(item), `expected name = value in "${name}"`);
      return [];
    });
  }

  report(code: Diagnostic['code'], span: Span, message: string, hint?: string): void {
    this.#found.push(this.#diagnostic(code, span, message, hint));
  }

  /** Takes over what another reader found in a part of this block. */
  adopt(diagnostics: readonly Diagnostic[]): void {
    this.#found.push(...diagnostics);
  }

  warn(code: Diagnostic['code'], span: Span, message: string, hint?: string): void {
    this.#found.push({ ...this.#diagnostic(code, span, message, hint), severity: 'warning' });
  }

  #diagnostic(code: Diagnostic['code'], span: Span, message: string, hint?: string): Diagnostic {
    const location = locate(this.file, span);
    return { code, severity: 'error', message, location, ...(hint === undefined ? {} : { hint }) };
  }

  /** Reports every property that nobody asked for. Call it once all have been read. */
  finish(): void {
    for (const [name, pair] of this.#pairs) {
      if (this.#asked.has(name)) continue;
      const hint = didYouMean(name, this.#asked) ?? `known are ${[...this.#asked].sort().join(', ')}`;
      this.report('SL0103', pair.nameSpan, `unknown property "${pair.name}" in ${this.owner}`, hint);
    }
  }
}
