/** A value of R, as its serialization holds it. Nothing of it is ever evaluated. */
export type RValue = RNull | RSymbol | RVector | RList | RPairs | RS4 | REnvironment | ROpaque;

export type Attributes = Map<string, RValue>;

interface Attributed {
  /** Slots of an S4 object are attributes too. */
  readonly attributes: Attributes;
}

export interface RNull {
  readonly type: 'null';
}

export interface RSymbol {
  readonly type: 'symbol';
  readonly name: string;
}

export type RVector = Attributed &
  (
    | { readonly type: 'logical' | 'integer'; readonly values: Int32Array<ArrayBuffer> }
    | { readonly type: 'double' | 'complex'; readonly values: Float64Array<ArrayBuffer> }
    | { readonly type: 'character'; readonly values: readonly (string | null)[] }
    | { readonly type: 'raw'; readonly values: Uint8Array<ArrayBuffer> }
  );

export interface RList extends Attributed {
  readonly type: 'list';
  readonly values: RValue[];
}

export interface RPairs extends Attributed {
  readonly type: 'pairs';
  readonly items: { readonly tag: string | null; readonly value: RValue }[];
}

export interface RS4 extends Attributed {
  readonly type: 'S4';
}

export interface REnvironment extends Attributed {
  readonly type: 'environment';
  readonly variables: Map<string, RValue>;
}

/** Code and handles: kept by name only. */
export interface ROpaque extends Attributed {
  readonly type: 'opaque';
  readonly what: string;
}

export const NULL: RNull = { type: 'null' };
/** R's missing integer and logical value. */
export const NA_INTEGER = -2147483648;
const NO_ATTRIBUTES: Attributes = new Map();

export function attributesOf(value: RValue | undefined): Attributes {
  return value === undefined || value.type === 'null' || value.type === 'symbol' ? NO_ATTRIBUTES : value.attributes;
}

export function attribute(value: RValue | undefined, name: string): RValue | undefined {
  return attributesOf(value).get(name);
}

export function textsOf(value: RValue | undefined): readonly (string | null)[] {
  return value?.type === 'character' ? value.values : [];
}

export function textOf(value: RValue | undefined): string | undefined {
  return textsOf(value)[0] ?? undefined;
}

export function classesOf(value: RValue | undefined): readonly string[] {
  return textsOf(attribute(value, 'class')).map(String);
}

export function hasClass(value: RValue | undefined, name: string): boolean {
  return classesOf(value).includes(name);
}

/** What to call a value in a message: its class, or its type. */
export function describeValue(value: RValue): string {
  if (value.type === 'opaque') return value.what;
  return classesOf(value)[0] ?? value.type;
}

/** Whole numbers of an integer or double vector; undefined for anything else. */
export function numbersOf(value: RValue | undefined): readonly number[] | undefined {
  return value?.type === 'integer' || value?.type === 'double' ? Array.from(value.values) : undefined;
}

/** Members of a list by name, in order; those without a name by their number from 1. */
export function members(value: RValue | undefined): readonly (readonly [string, RValue])[] {
  if (value?.type === 'pairs') return value.items.map(({ tag, value: item }, i) => [tag ?? String(i + 1), item]);
  if (value?.type !== 'list') return [];
  const names = textsOf(value.attributes.get('names'));
  return value.values.map((item, i) => [names[i] || String(i + 1), item]);
}

export function member(value: RValue | undefined, name: string): RValue | undefined {
  return members(value).find(([key]) => key === name)?.[1];
}

/** Whether a double is R's NA, which is the NaN whose low word is 1954. */
export function missingDoubles(values: Float64Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  let missing: Uint8Array<ArrayBuffer> | undefined;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isNaN(values[i]) || words[2 * i] !== 1954) continue;
    missing ??= new Uint8Array(values.length);
    missing[i] = 1;
  }
  return missing;
}

export function missingIntegers(values: Int32Array): Uint8Array<ArrayBuffer> | undefined {
  if (!values.includes(NA_INTEGER)) return undefined;
  return Uint8Array.from(values, (value) => (value === NA_INTEGER ? 1 : 0));
}
