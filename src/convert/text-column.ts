import type { MemoryColumn } from './memory-table.js';

const INTEGER = /^(?:0|-?[1-9]\d{0,14})$/;
const NUMBER = /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$|^(?:nan|[+-]?inf)$/i;
const BOOLEAN = /^(?:true|false)$/i;

/**
 * Texts as the narrowest column that loses nothing of them: whole numbers up to 15 digits, numbers, booleans, or texts.
 * Empty texts and `NA` are NULL.
 */
export function textColumn(original: string, texts: readonly string[]): MemoryColumn {
  const values = texts.map((text) => (text === '' || text === 'NA' ? null : text));
  const isAll = (pattern: RegExp): boolean =>
    values.some((value) => value !== null) && values.every((value) => value === null || pattern.test(value));
  const isNull = Uint8Array.from(values, (value) => (value === null ? 1 : 0));
  if (isAll(INTEGER)) {
    const numbers = BigInt64Array.from(values, (value) => BigInt(value ?? 0));
    return { original, type: 'BIGINT', values: { kind: 'numbers', numbers, isNull }, description: { dtype: 'int64' } };
  }
  if (isAll(NUMBER)) {
    const numbers = Float64Array.from(values, (value) => numberOf(value ?? '0'));
    return {
      original,
      type: 'DOUBLE',
      values: { kind: 'numbers', numbers, isNull },
      description: { dtype: 'float64' },
    };
  }
  if (isAll(BOOLEAN)) {
    const numbers = Uint8Array.from(values, (value) => (value?.toLowerCase() === 'true' ? 1 : 0));
    return { original, type: 'BOOLEAN', values: { kind: 'numbers', numbers, isNull }, description: { dtype: 'bool' } };
  }
  return { original, type: 'VARCHAR', values: { kind: 'texts', texts: values }, description: { dtype: 'object' } };
}

function numberOf(text: string): number {
  const plain = text.toLowerCase();
  if (plain === 'nan') return Number.NaN;
  if (!plain.endsWith('inf')) return Number(text);
  return plain.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
