/** A value as the file has it: numbers and everything below stay text, so no digit is lost. */
export type JsonNode =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly isTrue: boolean }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly JsonNode[]; readonly source: string }
  | { readonly kind: 'object'; readonly members: ReadonlyMap<string, JsonNode>; readonly source: string };

/** Where a text stops being JSON, and why. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
  /** In UTF-16 units from the beginning of the text. */
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const MAX_DEPTH = 64;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** What a string may hold as it stands. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that it may not hold
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const SPACE = /[ \t\n\r]*/y;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/**
 * Reads one JSON value that fills a text, strictly: no comments, no trailing commas, no NaN. Stricter than JSON.parse in
 * two ways: a key may stand only once in an object, and a string is made of whole characters.
 *
 * @throws JsonSyntaxError
 * @source RFC 8259
 */
export function parseValue(text: string): JsonNode {
  const parser = new Parser(text);
  const node = parser.value(0);
  parser.end();
  return node;
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#space();
  }

  end(): void {
    if (this.#at < this.#text.length) throw this.#error('goes on after its value');
  }

  value(depth: number): JsonNode {
    const first = this.#text[this.#at];
    switch (first) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#list(depth);
      case '"':
        return { kind: 'text', text: this.#string() };
      case 't':
        return this.#word('true', { kind: 'boolean', isTrue: true });
      case 'f':
        return this.#word('false', { kind: 'boolean', isTrue: false });
      case 'n':
        return this.#word('null', { kind: 'null' });
      case undefined:
        throw this.#error('ends where a value should be');
      default: {
        const text = this.#match(NUMBER);
        if (text === '') throw this.#error(`has ${JSON.stringify(first)} where a value should be`);
        this.#space();
        return { kind: 'number', text };
      }
    }
  }

  #object(depth: number): JsonNode {
    const from = this.#enter(depth);
    const members = new Map<string, JsonNode>();
    for (let isFirst = true; ; isFirst = false) {
      if (isFirst && this.#text[this.#at] === '}') break;
      const keyAt = this.#at;
      if (this.#text[this.#at] !== '"') throw this.#error('has no key in quotes where one should be');
      const key = this.#string();
      if (members.has(key)) throw new JsonSyntaxError(`has the key ${JSON.stringify(key)} twice in one object`, keyAt);
      if (this.#text[this.#at] !== ':') throw this.#error('has no colon after a key');
      this.#step();
      members.set(key, this.value(depth + 1));
      if (this.#text[this.#at] !== ',') break;
      this.#step();
    }
    return { kind: 'object', members, source: this.#leave('}', from) };
  }

  #list(depth: number): JsonNode {
    const from = this.#enter(depth);
    const items: JsonNode[] = [];
    for (let isFirst = true; ; isFirst = false) {
      if (isFirst && this.#text[this.#at] === ']') break;
      items.push(this.value(depth + 1));
      if (this.#text[this.#at] !== ',') break;
      this.#step();
    }
    return { kind: 'list', items, source: this.#leave(']', from) };
  }

  #enter(depth: number): number {
    if (depth >= MAX_DEPTH) throw this.#error(`is nested more than ${MAX_DEPTH} levels deep`);
    const from = this.#at;
    this.#step();
    return from;
  }

  #leave(closing: '}' | ']', from: number): string {
    if (this.#text[this.#at] !== closing) {
      const isOver = this.#at >= this.#text.length;
      throw this.#error(isOver ? `ends before its "${closing}"` : `has neither "," nor "${closing}" after a value`);
    }
    const source = this.#text.slice(from, this.#at + 1);
    this.#step();
    return source;
  }

  #string(): string {
    const from = this.#at++;
    let found = '';
    for (;;) {
      found += this.#match(PLAIN);
      const stop = this.#text[this.#at];
      if (stop === '"') break;
      if (stop === undefined) throw this.#error('ends inside a string');
      if (stop !== '\\') throw this.#error('has a control character inside a string');
      found += this.#escape();
    }
    if (LONE_SURROGATE.test(found))
      throw new JsonSyntaxError('has half a character (a lone surrogate) in a string', from);
    this.#step();
    return found;
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? '';
    const plain = ESCAPES[letter];
    if (plain !== undefined) {
      this.#at += 2;
      return plain;
    }
    const digits = this.#text.slice(this.#at + 2, this.#at + 6);
    if (letter !== 'u' || !/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#error('has an unknown escape in a string');
    this.#at += 6;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #word(word: string, node: JsonNode): JsonNode {
    if (!this.#text.startsWith(word, this.#at)) {
      throw this.#error(`has ${JSON.stringify(this.#text[this.#at])} where a value should be`);
    }
    this.#at += word.length;
    this.#space();
    return node;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #step(): void {
    this.#at++;
    this.#space();
  }

  #space(): void {
    const code = this.#text.charCodeAt(this.#at);
    if (code <= 32) this.#match(SPACE);
  }

  #error(message: string): JsonSyntaxError {
    return new JsonSyntaxError(message, this.#at);
  }
}
