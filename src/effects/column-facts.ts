import type { Column } from '../domain/column.js';

/** Types that a typed array can fill; VARCHAR is filled with texts. */
export type WritableType = keyof typeof BYTES_OF_TYPE | 'VARCHAR';

/** Those whose values are the numbers themselves. */
export type NumberType = Exclude<WritableType, 'VARCHAR' | 'DATE' | `TIMESTAMP${string}`>;

/** A column of a written table. */
export interface WritableColumn extends Column {
  readonly type: WritableType;
}

export type NumberArray =
  | Int8Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>;

/** What went into one column, independent of the order of rows. */
export interface ColumnFacts {
  readonly nullCount: number;
  /** Floats: values that are NaN, and infinite ones. */
  readonly nanCount: number;
  readonly infiniteCount: number;
  /** Integers: exact. Floats: of the finite values. Texts: of their lengths in UTF-8 bytes. */
  readonly sum: bigint | number;
  /** Sum of the absolute finite values: the scale of the rounding that `sum` may have suffered. */
  readonly scale: number;
  /** Of the finite values; undefined without any, for texts and for 64-bit integers. */
  readonly min: number | undefined;
  readonly max: number | undefined;
}

/** Gathers what goes into one column, to be compared with what stands in the file. */
export class FactGatherer {
  readonly #isFloat: boolean;
  readonly #isText: boolean;
  #nullCount = 0;
  #nanCount = 0;
  #infiniteCount = 0;
  #exact = 0n;
  #sum = 0;
  #scale = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  constructor(type: WritableType) {
    this.#isFloat = isFloat(type);
    this.#isText = type === 'VARCHAR';
  }

  addNull(): void {
    this.#nullCount++;
  }

  addText(byteCount: number): void {
    this.#sum += byteCount;
  }

  addNumbers(numbers: NumberArray, isNull: Uint8Array | undefined): void {
    if (numbers instanceof BigInt64Array || numbers instanceof BigUint64Array) {
      let sum = 0n;
      for (let i = 0; i < numbers.length; i++) {
        if (isNull?.[i] === 1) this.#nullCount++;
        else sum += numbers[i] ?? 0n;
      }
      this.#exact += sum;
      return;
    }
    if (isNull === undefined && !this.#isFloat) this.#addIntegers(numbers);
    else if (isNull !== undefined || !this.#addFinite(numbers)) this.#addChecked(numbers, isNull);
  }

  /** The path of the two index columns of every matrix: nothing but what must be done. */
  #addIntegers(numbers: Exclude<NumberArray, BigInt64Array | BigUint64Array>): void {
    let sum = 0;
    let min = this.#min;
    let max = this.#max;
    for (let i = 0; i < numbers.length; i++) {
      const value = numbers[i] ?? 0;
      sum += value;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    this.#min = min;
    this.#max = max;
    this.#exact += BigInt(sum);
  }

  /** The path of almost all values. @returns false, with nothing added, where one of them is not finite */
  #addFinite(numbers: Exclude<NumberArray, BigInt64Array | BigUint64Array>): boolean {
    let sum = 0;
    let scale = 0;
    let min = this.#min;
    let max = this.#max;
    for (let i = 0; i < numbers.length; i++) {
      const value = numbers[i] ?? 0;
      sum += value;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    // Counts have no sign: their sum is that of their absolute values, and adding these up takes as long as the rest.
    if (min >= 0) scale = sum;
    else for (let i = 0; i < numbers.length; i++) scale += Math.abs(numbers[i] ?? 0);
    // One that is infinite or NaN stays in a sum of absolute values.
    if (!Number.isFinite(scale)) return false;
    this.#min = min;
    this.#max = max;
    this.#sum += sum;
    this.#scale += scale;
    return true;
  }

  #addChecked(numbers: Exclude<NumberArray, BigInt64Array | BigUint64Array>, isNull: Uint8Array | undefined): void {
    let sum = 0;
    for (let i = 0; i < numbers.length; i++) {
      const value = numbers[i] ?? 0;
      if (isNull?.[i] === 1) this.#nullCount++;
      else if (Number.isFinite(value)) {
        sum += value;
        this.#scale += Math.abs(value);
        if (value < this.#min) this.#min = value;
        if (value > this.#max) this.#max = value;
      } else if (Number.isNaN(value)) this.#nanCount++;
      else this.#infiniteCount++;
    }
    if (this.#isFloat) this.#sum += sum;
    else this.#exact += BigInt(sum);
  }

  facts(): ColumnFacts {
    return {
      nullCount: this.#nullCount,
      nanCount: this.#nanCount,
      infiniteCount: this.#infiniteCount,
      sum: this.#isFloat || this.#isText ? this.#sum : this.#exact,
      scale: this.#scale,
      min: this.#min > this.#max ? undefined : this.#min,
      max: this.#min > this.#max ? undefined : this.#max,
    };
  }
}

export function isFloat(type: WritableType): boolean {
  return type === 'FLOAT' || type === 'DOUBLE';
}

const BYTES_OF_TYPE = {
  BOOLEAN: 1,
  TINYINT: 1,
  UTINYINT: 1,
  SMALLINT: 2,
  USMALLINT: 2,
  INTEGER: 4,
  UINTEGER: 4,
  BIGINT: 8,
  UBIGINT: 8,
  FLOAT: 4,
  DOUBLE: 8,
  /** Days since 1970. */
  DATE: 4,
  /** Microseconds since 1970, of a wall clock; then the same as an instant, and nanoseconds. */
  TIMESTAMP: 8,
  'TIMESTAMP WITH TIME ZONE': 8,
  TIMESTAMP_NS: 8,
} as const;

/** Bytes of one value; 0 for text. */
export function widthOfType(type: WritableType): number {
  return type === 'VARCHAR' ? 0 : BYTES_OF_TYPE[type];
}

/** A whole buffer as the typed array of a type. */
export function numbersOfType(type: WritableType, buffer: ArrayBuffer): NumberArray {
  switch (type) {
    case 'BOOLEAN':
    case 'UTINYINT':
      return new Uint8Array(buffer);
    case 'TINYINT':
      return new Int8Array(buffer);
    case 'SMALLINT':
      return new Int16Array(buffer);
    case 'USMALLINT':
      return new Uint16Array(buffer);
    case 'INTEGER':
    case 'DATE':
      return new Int32Array(buffer);
    case 'UINTEGER':
      return new Uint32Array(buffer);
    case 'BIGINT':
    case 'TIMESTAMP':
    case 'TIMESTAMP WITH TIME ZONE':
    case 'TIMESTAMP_NS':
      return new BigInt64Array(buffer);
    case 'UBIGINT':
      return new BigUint64Array(buffer);
    case 'FLOAT':
      return new Float32Array(buffer);
    case 'DOUBLE':
      return new Float64Array(buffer);
    case 'VARCHAR':
      throw new Error('text is no number');
  }
}
