import { columnNames } from '../../names.js';
import type { JsonNode } from './parse-value.js';

/** A value's type in the table, with how it gets there. */
export type ValueType =
  | { readonly kind: 'scalar'; readonly sql: string }
  /** The JSON text itself, for values that no one type holds. */
  | { readonly kind: 'json'; readonly why: string }
  | { readonly kind: 'list'; readonly item: ValueType }
  | { readonly kind: 'struct'; readonly fields: readonly StructField[] };

export interface StructField {
  /** As the file spells it. */
  readonly key: string;
  readonly name: string;
  readonly type: ValueType;
}

/** An object of more keys is a dictionary, not a record. */
const MAX_FIELDS = 512;
const INTEGER = /^-?\d+$/;
const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;
const MAX_DIGITS = 38;

/** Everything that stands at one place of the records, added up: what its type must hold, and what the table is held to. */
export class Shape {
  readonly counts = { null: 0, boolean: 0, number: 0, text: 0, list: 0, object: 0 };
  /** UTF-8 bytes of the texts. */
  textBytes = 0;
  trueCount = 0;
  /** Of the numbers; `scale` adds their absolute values. */
  sum = 0;
  scale = 0;
  item: Shape | undefined;
  readonly members = new Map<string, Shape>();
  /** Of the whole numbers, exact. */
  #wholeSum = 0n;
  #pendingSum = 0;
  #fractionCount = 0;
  #longCount = 0;
  #isInfinite = false;
  #least = 0n;
  #largest = 0n;

  add(node: JsonNode): void {
    this.counts[node.kind]++;
    switch (node.kind) {
      case 'null':
        return;
      case 'boolean':
        if (node.isTrue) this.trueCount++;
        return;
      case 'number':
        this.#addNumber(node.text);
        return;
      case 'text':
        this.textBytes += Buffer.byteLength(node.text);
        return;
      case 'list':
        this.item ??= new Shape();
        for (const item of node.items) this.item.add(item);
        return;
      case 'object':
        for (const [key, value] of node.members) {
          let member = this.members.get(key);
          if (member === undefined) {
            member = new Shape();
            this.members.set(key, member);
          }
          member.add(value);
        }
        return;
    }
  }

  /** How many values are there that are not null. */
  get valueCount(): number {
    const { boolean, number, text, list, object } = this.counts;
    return boolean + number + text + list + object;
  }

  type(): ValueType {
    const { boolean, number, text, list, object } = this.counts;
    const all = this.valueCount;
    if (all === text) return { kind: 'scalar', sql: 'VARCHAR' };
    if (all === boolean) return { kind: 'scalar', sql: 'BOOLEAN' };
    if (all === number) return this.#numberType();
    if (all === list) return { kind: 'list', item: this.item?.type() ?? { kind: 'scalar', sql: 'VARCHAR' } };
    if (all !== object) return { kind: 'json', why: 'its values are of different kinds' };
    if (this.members.size === 0) return { kind: 'json', why: 'its objects are empty' };
    if (this.members.size > MAX_FIELDS) {
      return { kind: 'json', why: `its objects have ${this.members.size} different keys` };
    }
    return { kind: 'struct', fields: this.fields() };
  }

  /** Of the whole numbers, exact. */
  get wholeSum(): bigint {
    this.#settleSum();
    return this.#wholeSum;
  }

  /** The members as columns or fields: names that DuckDB cannot tell apart get a number. */
  fields(): readonly StructField[] {
    const keys = [...this.members.keys()];
    const names = columnNames(keys);
    return [...this.members.values()].map((member, i) => ({
      key: keys[i] ?? '',
      name: names[i] ?? '',
      type: member.type(),
    }));
  }

  #addNumber(text: string): void {
    const value = Number(text);
    if (Number.isFinite(value)) {
      this.sum += value;
      this.scale += Math.abs(value);
    } else this.#isInfinite = true;
    if (!INTEGER.test(text)) this.#fractionCount++;
    else if (text.length > 15) {
      const whole = BigInt(text);
      this.#wholeSum += whole;
      if (Math.abs(value) > Number.MAX_SAFE_INTEGER) this.#longCount++;
      if (whole < this.#least) this.#least = whole;
      if (whole > this.#largest) this.#largest = whole;
    } else {
      this.#pendingSum += value;
      if (Math.abs(this.#pendingSum) > 2 ** 52) this.#settleSum();
      if (value < 0 && this.#least === 0n) this.#least = -1n;
    }
  }

  #settleSum(): void {
    this.#wholeSum += BigInt(this.#pendingSum);
    this.#pendingSum = 0;
  }

  #numberType(): ValueType {
    if (this.#isInfinite) return { kind: 'json', why: 'a number is beyond the range of DOUBLE' };
    if (this.#fractionCount > 0) {
      return this.#longCount > 0
        ? { kind: 'json', why: 'as DOUBLE its whole numbers would lose digits' }
        : { kind: 'scalar', sql: 'DOUBLE' };
    }
    if (this.#least >= -MAX_INT64 - 1n && this.#largest <= MAX_INT64) return { kind: 'scalar', sql: 'BIGINT' };
    if (this.#least >= 0n && this.#largest <= MAX_UINT64) return { kind: 'scalar', sql: 'UBIGINT' };
    const digits = Math.max(String(this.#largest).length, String(-this.#least).length);
    return digits <= MAX_DIGITS
      ? { kind: 'scalar', sql: `DECIMAL(${MAX_DIGITS},0)` }
      : { kind: 'json', why: `a number has more than ${MAX_DIGITS} digits` };
  }
}
