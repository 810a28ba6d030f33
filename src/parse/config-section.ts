import { isMap, isNode, isScalar, isSeq, type Node, Scalar } from 'yaml';
import { isRecord } from '../domain/json.js';
import type { JsonValue } from '../domain/kind.js';
import { didYouMean } from '../domain/near-miss.js';

type Single = string | number | boolean;

/** One mapping of the file: hands out its values by name and reports the names that nobody asked for. */
export class Section {
  readonly #entries = new Map<string, { readonly key: Node; readonly value: unknown }>();
  readonly #asked = new Set<string>();
  readonly #report: (node: Node | undefined, message: string, hint?: string) => void;
  readonly #path: string;

  constructor(node: unknown, path: string, report: Section['report']) {
    this.#report = report;
    this.#path = path;
    if (!isMap(node)) return;
    for (const pair of node.items) {
      // What the environment sets has no node in the file.
      const key = isScalar(pair.key) ? pair.key : new Scalar(pair.key);
      const value = isNode(pair.value) ? pair.value : new Scalar(pair.value);
      this.#entries.set(String(key.value), { key, value });
    }
  }

  get report(): (node: Node | undefined, message: string, hint?: string) => void {
    return this.#report;
  }

  section(name: string): Section {
    this.#asked.add(name);
    const entry = this.#entries.get(name);
    if (entry !== undefined && !isMap(entry.value))
      this.#report(entry.key, `"${this.#path}${name}" holds settings, one to a line`);
    return new Section(entry?.value, `${this.#path}${name}.`, this.#report);
  }

  value(name: string): Single | undefined {
    this.#asked.add(name);
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    const raw = isScalar(entry.value) ? entry.value.value : undefined;
    if (typeof raw === 'string' || typeof raw === 'number' || typeof raw === 'boolean') return raw;
    this.#report(entry.key, `"${this.#path}${name}" is a single value`);
    return undefined;
  }

  text(name: string): string | undefined {
    const value = this.value(name);
    return value === undefined ? undefined : String(value);
  }

  megabytes(name: string): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && value >= 1 && value <= 1 << 20) return value;
    this.#report(this.keyNode(name), `"${this.#path}${name}" is a number of megabytes, at least 1`);
    return undefined;
  }

  count(name: string, { minimum, maximum } = { minimum: 1, maximum: 1024 }): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum) return value;
    this.#report(this.keyNode(name), `"${this.#path}${name}" is a whole number of at least ${minimum}`);
    return undefined;
  }

  keyNode(name: string): Node | undefined {
    return this.#entries.get(name)?.key;
  }

  /** A list of texts; one text counts as a list of one. */
  texts(name: string): readonly { readonly text: string; readonly node: Node | undefined }[] {
    this.#asked.add(name);
    const entry = this.#entries.get(name);
    if (entry === undefined) return [];
    const items = isSeq(entry.value) ? entry.value.items : [entry.value];
    return items.flatMap((item) => {
      if (isScalar(item) && item.value !== null) return [{ text: String(item.value), node: item }];
      this.#report(entry.key, `"${this.#path}${name}" is a list of texts`);
      return [];
    });
  }

  /** Sections by the user's own names: `gateways: {local: …}`. */
  sections(name: string): Readonly<Record<string, Section>> {
    const inner = this.section(name);
    return Object.fromEntries([...inner.#entries.keys()].map((key) => [key, inner.section(key)]));
  }

  /** Values of any shape: scalars, lists, mappings. */
  values(): Readonly<Record<string, JsonValue>> {
    return Object.fromEntries(
      [...this.#entries].map(([key, entry]) => {
        this.#asked.add(key);
        return [key, jsonOf(entry.value)];
      }),
    );
  }

  /** Takes a setting that others know and that means nothing here. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#asked.add(name);
  }

  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** All values of a section whose names are the user's own. */
  all(): Readonly<Record<string, Single>> {
    const values: Record<string, Single> = {};
    for (const name of this.#entries.keys()) {
      const value = this.value(name);
      if (value !== undefined) values[name] = value;
    }
    return values;
  }

  finish(): void {
    for (const [name, { key }] of this.#entries) {
      if (this.#asked.has(name)) continue;
      const hint = didYouMean(name, this.#asked) ?? `known here are ${[...this.#asked].sort().join(', ')}`;
      this.#report(key, `unknown setting "${this.#path}${name}"`, hint);
    }
  }
}

function jsonOf(node: unknown): JsonValue {
  if (isScalar(node)) {
    const { value } = node;
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
  }
  if (isSeq(node)) return node.items.map(jsonOf);
  if (isMap(node))
    return Object.fromEntries(
      node.items.flatMap((pair) => (isScalar(pair.key) ? [[String(pair.key.value), jsonOf(pair.value)]] : [])),
    );
  return isRecord(node) ? String(node) : null;
}
