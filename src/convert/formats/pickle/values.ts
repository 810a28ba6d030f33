/** A value of Python, inert: what would be called is only named. */
export type PValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | PBytes
  | PList
  | PTuple
  | PSet
  | PDict
  | PGlobal
  | PObject;

export interface PBytes {
  readonly kind: 'bytes';
  readonly bytes: Uint8Array;
}

export interface PList {
  readonly kind: 'list';
  readonly items: PValue[];
}

export interface PTuple {
  readonly kind: 'tuple';
  readonly items: readonly PValue[];
}

export interface PSet {
  readonly kind: 'set';
  readonly items: PValue[];
}

/** Pairs in order, a later one of an equal key last: no key becomes a property of anything. */
export interface PDict {
  readonly kind: 'dict';
  readonly pairs: (readonly [PValue, PValue])[];
}

export interface PGlobal {
  readonly kind: 'global';
  /** Module and name, `numpy.ndarray`. */
  readonly name: string;
}

/** A call that was not made: what would be called, with what, and the state that it would be given. */
export interface PObject {
  readonly kind: 'object';
  readonly callee: string;
  readonly args: readonly PValue[];
  state: PValue;
}

/** The file is no pickle, is damaged, or holds what is not allowed. */
export class PickleError extends Error {
  override readonly name = 'PickleError';
}

type Of<K> = Extract<PValue, { readonly kind: K }>;

export function isKind<K extends 'bytes' | 'list' | 'tuple' | 'set' | 'dict' | 'global' | 'object'>(
  value: PValue | undefined,
  kind: K,
): value is Of<K> {
  return typeof value === 'object' && value !== null && value.kind === kind;
}

export function itemsOf(value: PValue | undefined): readonly PValue[] {
  return isKind(value, 'tuple') || isKind(value, 'list') ? value.items : [];
}

export function entryOf(value: PValue | undefined, key: string): PValue | undefined {
  return isKind(value, 'dict') ? value.pairs.findLast(([name]) => name === key)?.[1] : undefined;
}

/** The last part of a global's name: pandas moves its classes between modules. */
export function shortName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

export function describeValue(value: PValue | undefined): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value !== 'object') return typeof value === 'string' ? 'str' : typeof value;
  if (value.kind === 'object') return value.callee;
  return value.kind === 'global' ? value.name : value.kind;
}
