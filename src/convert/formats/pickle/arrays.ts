import type { NumberArray } from '../../../effects/parquet-writer.js';
import { describeValue, isKind, itemsOf, PickleError, type PValue, shortName } from './values.js';

/** A NumPy dtype. */
export interface DType {
  /** b, i, u, f, O, M, m, U, S … */
  readonly kind: string;
  readonly bytes: number;
  readonly isBigEndian: boolean;
  /** Of times: ns, us, ms, s, D. */
  readonly unit: string | undefined;
}

export interface NdArray {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly isFortran: boolean;
  readonly content:
    | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
    | { readonly kind: 'items'; readonly items: readonly PValue[] };
}

/** NumPy's own name of a dtype (`float64`, `datetime64[ns]`). */
export function dtypeName(dtype: DType): string {
  const bits = dtype.bytes * 8;
  switch (dtype.kind) {
    case 'b':
      return 'bool';
    case 'i':
      return `int${bits}`;
    case 'u':
      return `uint${bits}`;
    case 'f':
      return `float${bits}`;
    case 'M':
      return `datetime64[${dtype.unit ?? ''}]`;
    case 'm':
      return `timedelta64[${dtype.unit ?? ''}]`;
    case 'O':
      return 'object';
    default:
      return `${dtype.kind}${dtype.bytes}`;
  }
}

function dtypeOf(value: PValue | undefined): DType {
  if (!isKind(value, 'object') || value.callee !== 'numpy.dtype') {
    throw new PickleError(`has ${describeValue(value)} where a dtype is expected`);
  }
  const [code] = value.args;
  const match = typeof code === 'string' ? /^([a-zA-Z])(\d*)$/.exec(code) : null;
  if (match === null) throw new PickleError('has a dtype without a code');
  const state = itemsOf(value.state);
  const [, unitTuple] = itemsOf(state[8]);
  const [unit, count] = itemsOf(unitTuple);
  if (count !== undefined && count !== 1)
    throw new PickleError('counts time in multiples of a unit, which is not supported');
  const text = isKind(unit, 'bytes')
    ? Buffer.from(unit.bytes).toString('latin1')
    : typeof unit === 'string'
      ? unit
      : undefined;
  const kind = match[1] ?? '';
  const itemBytes = kind === 'U' || kind === 'S' || kind === 'V' ? Number(state[5] ?? match[2]) : Number(match[2] || 8);
  const width = kind === 'U' && typeof state[5] !== 'number' ? Number(match[2]) * 4 : itemBytes;
  return { kind, bytes: width > 0 ? width : Number(match[2] || 8), isBigEndian: state[1] === '>', unit: text };
}

/** A NumPy array, its size checked against its bytes. */
export function ndarrayOf(value: PValue | undefined): NdArray {
  if (!isKind(value, 'object')) throw new PickleError(`has ${describeValue(value)} where an array is expected`);
  const name = shortName(value.callee);
  if (name === '_reconstruct') {
    const [, shape, dtype, isFortran, data] = itemsOf(value.state);
    return checked(shape, dtypeOf(dtype), isFortran === true || isFortran === 1, data);
  }
  if (name === '_frombuffer') {
    const [data, dtype, shape, order] = value.args;
    return checked(shape, dtypeOf(dtype), order === 'F', data);
  }
  throw new PickleError(`has ${value.callee} where an array is expected`);
}

function checked(shapeValue: PValue | undefined, dtype: DType, isFortran: boolean, data: PValue | undefined): NdArray {
  const shape = itemsOf(shapeValue).map(Number);
  const length = shape.reduce((product, n) => product * n, 1);
  if (shape.some((n) => !Number.isInteger(n) || n < 0) || !Number.isSafeInteger(length)) {
    throw new PickleError(`has an array of shape ${shape.join(' x ')}`);
  }
  if (dtype.kind === 'O') {
    if (!isKind(data, 'list') || data.items.length !== length) {
      throw new PickleError(`has an array of ${length} objects with ${itemsOf(data).length} of them`);
    }
    return { shape, dtype, isFortran, content: { kind: 'items', items: data.items } };
  }
  if (!isKind(data, 'bytes') || data.bytes.length !== length * dtype.bytes) {
    const found = isKind(data, 'bytes') ? `${data.bytes.length} bytes` : describeValue(data);
    throw new PickleError(`has an array of ${length} values of ${dtype.bytes} bytes with ${found}`);
  }
  return { shape, dtype, isFortran, content: { kind: 'bytes', bytes: data.bytes } };
}

/** One row of a two-dimensional array, or all of a one-dimensional one, as an array of its own. */
export function rowOf(array: NdArray, row: number): NdArray {
  const [rows = 0, columns = 0] = array.shape.length === 1 ? [1, array.shape[0] ?? 0] : array.shape;
  if (array.shape.length > 2 || row >= rows)
    throw new PickleError(`has no row ${row} in an array of shape ${array.shape.join(' x ')}`);
  const at = (i: number): number => (array.isFortran && array.shape.length === 2 ? i * rows + row : row * columns + i);
  const { dtype } = array;
  const shape = [columns];
  if (array.content.kind === 'items') {
    const { items } = array.content;
    return {
      shape,
      dtype,
      isFortran: false,
      content: { kind: 'items', items: Array.from({ length: columns }, (_, i) => items[at(i)] ?? null) },
    };
  }
  const { bytes } = array.content;
  const size = dtype.bytes;
  const found = new Uint8Array(columns * size);
  if (array.isFortran && array.shape.length === 2) {
    for (let i = 0; i < columns; i++) found.set(bytes.subarray(at(i) * size, (at(i) + 1) * size), i * size);
  } else found.set(bytes.subarray(row * columns * size, (row + 1) * columns * size));
  return { shape, dtype, isFortran: false, content: { kind: 'bytes', bytes: found } };
}

/** Numbers of a one-dimensional array in this machine's order; 16-bit floats and times are refused elsewhere. */
export function numbersOf(array: NdArray): NumberArray {
  const { dtype, content } = array;
  if (content.kind !== 'bytes') throw new PickleError('has objects where numbers are expected');
  // A copy of its own: bytes of a pool would start anywhere.
  const { buffer } = Uint8Array.from(content.bytes);
  if (dtype.isBigEndian) {
    const bytes = Buffer.from(buffer);
    if (dtype.bytes === 2) bytes.swap16();
    else if (dtype.bytes === 4) bytes.swap32();
    else if (dtype.bytes === 8) bytes.swap64();
  }
  switch (`${dtype.kind}${dtype.bytes}`) {
    case 'b1': {
      const booleans = new Uint8Array(buffer);
      const wrong = booleans.find((byte) => byte > 1);
      if (wrong !== undefined) throw new PickleError(`has a boolean that is ${wrong}, neither False (0) nor True (1)`);
      return booleans;
    }
    case 'u1':
      return new Uint8Array(buffer);
    case 'i1':
      return new Int8Array(buffer);
    case 'i2':
      return new Int16Array(buffer);
    case 'u2':
      return new Uint16Array(buffer);
    case 'i4':
      return new Int32Array(buffer);
    case 'u4':
      return new Uint32Array(buffer);
    case 'i8':
    case 'M8':
    case 'm8':
      return new BigInt64Array(buffer);
    case 'u8':
      return new BigUint64Array(buffer);
    case 'f4':
      return new Float32Array(buffer);
    case 'f8':
      return new Float64Array(buffer);
    default:
      throw new PickleError(`has numbers of dtype ${dtypeName(dtype)}, which are not supported`);
  }
}
