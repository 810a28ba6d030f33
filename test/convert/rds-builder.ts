/** Serialized R objects, version 3, big endian, for tests. */
type Attributes = Readonly<Record<string, Buffer>>;

export function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
}

/** R's NA among doubles. */
const NA_REAL = Buffer.from('7ff00000000007a2', 'hex');

function header(type: number, attributes: Attributes | undefined): Buffer {
  const isObject = attributes !== undefined && 'class' in attributes;
  return int(type | (isObject ? 0x100 : 0) | (attributes === undefined ? 0 : 0x200));
}

function finish(start: Buffer, parts: readonly Buffer[], attributes: Attributes | undefined): Buffer {
  return Buffer.concat([start, ...parts, ...(attributes === undefined ? [] : [pairs(Object.entries(attributes))])]);
}

export function character(value: string | null, levels = 8): Buffer {
  if (value === null) return Buffer.concat([int(9), int(-1)]);
  const bytes = Buffer.from(value, levels === 4 ? 'latin1' : 'utf8');
  return Buffer.concat([int(9 | (levels << 12)), int(bytes.length), bytes]);
}

export function symbol(name: string): Buffer {
  return Buffer.concat([int(1), character(name, 64)]);
}

export function pairs(items: readonly (readonly [string, Buffer])[]): Buffer {
  return Buffer.concat([...items.flatMap(([name, value]) => [int(2 | 0x400), symbol(name), value]), int(254)]);
}

export function texts(values: readonly (string | null)[], attributes?: Attributes): Buffer {
  return finish(header(16, attributes), [int(values.length), ...values.map((value) => character(value))], attributes);
}

export function ints(values: readonly (number | null)[], attributes?: Attributes, type = 13): Buffer {
  const items = values.map((value) => int(value ?? -2147483648));
  return finish(header(type, attributes), [int(values.length), ...items], attributes);
}

export function logicals(values: readonly (boolean | null)[], attributes?: Attributes): Buffer {
  return ints(
    values.map((value) => (value === null ? null : value ? 1 : 0)),
    attributes,
    10,
  );
}

export function doubles(values: readonly (number | null)[], attributes?: Attributes): Buffer {
  const items = values.map((value) => {
    if (value === null) return NA_REAL;
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(value);
    return bytes;
  });
  return finish(header(14, attributes), [int(values.length), ...items], attributes);
}

/** The payload of integer64: whole numbers in the bits of doubles. */
export function longs(values: readonly bigint[], attributes: Attributes): Buffer {
  const items = values.map((value) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(value);
    return bytes;
  });
  return finish(header(14, attributes), [int(values.length), ...items], attributes);
}

export function list(items: Readonly<Record<string, Buffer>>, attributes: Attributes = {}): Buffer {
  const all = { names: texts(Object.keys(items)), ...attributes };
  return finish(header(19, all), [int(Object.keys(items).length), ...Object.values(items)], all);
}

export function unnamed(items: readonly Buffer[], attributes?: Attributes): Buffer {
  return finish(header(19, attributes), [int(items.length), ...items], attributes);
}

export function s4(className: string, slots: Attributes): Buffer {
  const attributes = { ...slots, class: texts([className], { package: texts(['test']) }) };
  return finish(int(25 | 0x100 | 0x200 | (1 << 16)), [], attributes);
}

export const nil = int(254);

export function frame(columns: Readonly<Record<string, Buffer>>, rowNames: Buffer): Buffer {
  return list(columns, { class: texts(['data.frame']), 'row.names': rowNames });
}

/** Row names of a data frame that has none. */
export function automatic(rowCount: number): Buffer {
  return ints([null, -rowCount]);
}

/** A dgCMatrix of 3 genes and 2 cells: 1 and 2 in the first column, 3 in the second. */
export function dgC(change: Attributes = {}): Buffer {
  return s4('dgCMatrix', {
    i: ints([0, 2, 1]),
    p: ints([0, 2, 3]),
    Dim: ints([3, 2]),
    Dimnames: unnamed([texts(['G1', 'G2', 'G3']), texts(['C1', 'C2'])]),
    x: doubles([1, 2, 3]),
    factors: unnamed([]),
    ...change,
  });
}

export function rds(object: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from('X\n'),
    int(3),
    int(0x040200),
    int(0x030500),
    int(5),
    Buffer.from('UTF-8'),
    object,
  ]);
}

export function rdata(objects: Readonly<Record<string, Buffer>>): Buffer {
  return Buffer.concat([Buffer.from('RDX3\n'), rds(pairs(Object.entries(objects)))]);
}
