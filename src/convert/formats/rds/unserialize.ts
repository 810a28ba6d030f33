import { decodeText, SerialError, type SerialInput } from './serial-input.js';
import { NULL, numbersOf, type RList, type RPairs, type RValue, type RVector } from './values.js';

/** Objects beyond that are no data set but a way to fill the memory. */
const MAX_VALUES = 30_000_000;
/** Elements of sequences that stand in a file as three numbers. */
const MAX_EXPANDED = 1 << 26;

/** Types of items, and marks that stand in their place (R: serialize.c, Rinternals.h). */
const SYMSXP = 1;
const LISTSXP = 2;
const LANGSXP = 6;
const REFSXP = 255;
const MARKS: Readonly<Record<number, RValue>> = {
  254: NULL,
  253: opaque('global environment'),
  252: NULL,
  251: NULL,
  250: opaque('base namespace'),
  242: opaque('empty environment'),
  241: opaque('base environment'),
};
/** Code is refused wherever it stands: nothing of it can become data, and its layout changes between versions of R. */
const REFUSED: Readonly<Record<number, string>> = {
  21: 'bytecode',
  23: 'weak reference',
  243: 'bytecode',
  244: 'bytecode',
};
const PAIRED: Readonly<Record<number, string>> = { 3: 'closure', 5: 'promise', 17: 'dots' };

/** Something that waits for the items below it. */
interface Frame {
  /** Takes a finished item; gives its own value when that was the last, undefined when it waits for more. */
  accept(item: RValue): RValue | undefined;
}

/**
 * One serialized object. Iterative: its depth costs memory, not stack.
 *
 * @throws SerialError, EndOfContent
 * @source R 4.2, src/main/serialize.c, ReadItem
 */
export class Unserializer {
  readonly #input: SerialInput;
  readonly #references: RValue[] = [];
  readonly #frames: Frame[] = [];
  #valueCount = 0;
  #expanded = 0;
  /** Flags that were read ahead, when the rest of a pairlist is no pairlist. */
  #flags: number | undefined;

  constructor(input: SerialInput) {
    this.#input = input;
  }

  read(): RValue {
    for (;;) {
      let item = this.#begin();
      while (item !== undefined) {
        const frame = this.#frames.at(-1);
        if (frame === undefined) return item;
        item = frame.accept(item);
      }
    }
  }

  /** Reads an item as far as it stands by itself; pushes a frame and gives undefined for one that holds others. */
  #begin(): RValue | undefined {
    if (++this.#valueCount > MAX_VALUES) throw new SerialError(`holds more than ${MAX_VALUES} objects`);
    const flags = this.#flags ?? this.#input.int();
    this.#flags = undefined;
    const type = flags & 255;
    const hasAttributes = (flags & 0x200) !== 0;
    const mark = MARKS[type];
    if (mark !== undefined) return mark;
    const refused = REFUSED[type];
    if (refused !== undefined) throw new SerialError(`holds ${refused} (R type ${type}), which is not supported`);
    switch (type) {
      case REFSXP: {
        const index = flags >>> 8 === 0 ? this.#input.int() : flags >>> 8;
        const value = this.#references[index - 1];
        if (value === undefined) throw new SerialError(`refers to object ${index} of ${this.#references.length}`);
        return value;
      }
      case SYMSXP:
        return this.#push((item) => this.#register({ type: 'symbol', name: textOfItem(item) }));
      case 9:
        return { type: 'character', values: [this.#text(flags)], attributes: new Map() };
      case LISTSXP:
      case LANGSXP:
      case 239:
      case 240:
      case 3:
      case 5:
      case 17:
        return this.#pairs(flags);
      case 4:
        return this.#environment();
      case 247:
      case 248:
      case 249:
        return this.#named(type);
      case 7:
      case 8:
        this.#input.bytes(this.#length(1));
        return opaque('built-in function');
      case 22:
        return this.#pointer(hasAttributes);
      case 19:
      case 20:
        return this.#list(hasAttributes);
      case 25:
        return this.#withAttributes({ type: 'S4', attributes: new Map() }, hasAttributes);
      case 238:
        return this.#compact();
      default:
        return this.#withAttributes(this.#vector(type), hasAttributes);
    }
  }

  #vector(type: number): RVector {
    const attributes = new Map<string, RValue>();
    switch (type) {
      case 10:
        return { type: 'logical', values: this.#input.ints(this.#length(4)), attributes };
      case 13:
        return { type: 'integer', values: this.#input.ints(this.#length(4)), attributes };
      case 14:
        return { type: 'double', values: this.#input.doubles(this.#length(8)), attributes };
      case 15:
        return { type: 'complex', values: this.#input.doubles(this.#length(16) * 2), attributes };
      case 16: {
        const count = this.#length(4);
        const values = new Array<string | null>(count);
        for (let i = 0; i < count; i++) {
          const flags = this.#input.int();
          if ((flags & 255) !== 9) throw new SerialError(`has an item of type ${flags & 255} among texts`);
          values[i] = this.#text(flags);
        }
        return { type: 'character', values, attributes };
      }
      case 24:
        return { type: 'raw', values: Uint8Array.from(this.#input.raws(this.#length(1))), attributes };
      default:
        throw new SerialError(`has an item of unknown type ${type} before byte ${this.#input.offset}`);
    }
  }

  #length(bytesPerElement: number): number {
    const short = this.#input.int();
    const length = short === -1 ? this.#input.int() * 2 ** 32 + (this.#input.int() >>> 0) : short;
    if (length < 0) throw new SerialError(`has a vector of length ${length} before byte ${this.#input.offset}`);
    this.#input.need(length, bytesPerElement);
    return length;
  }

  #text(flags: number): string | null {
    const length = this.#input.int();
    if (length === -1) return null;
    if (length < -1) throw new SerialError(`has a text of length ${length}`);
    this.#input.need(length, 1);
    return decodeText(this.#input.bytes(length), (flags >>> 12) & 0xffff, this.#input.nativeEncoding);
  }

  #push(accept: (item: RValue) => RValue | undefined): undefined {
    const frame: Frame = {
      accept: (item) => {
        const value = accept(item);
        if (value !== undefined && this.#frames.at(-1) === frame) this.#frames.pop();
        return value;
      },
    };
    this.#frames.push(frame);
  }

  /** Reads the attributes that follow a value. */
  #withAttributes<T extends RVector | RList | Extract<RValue, { type: 'S4' | 'opaque' }>>(
    value: T,
    hasAttributes: boolean,
  ): T | undefined {
    if (!hasAttributes) return value;
    return this.#push((item) => {
      if (item.type === 'pairs') {
        for (const { tag, value: content } of item.items) if (tag !== null) value.attributes.set(tag, content);
      } else if (item.type !== 'null') throw new SerialError('has attributes that are no pairlist');
      return value;
    });
  }

  #list(hasAttributes: boolean): RValue | undefined {
    const count = this.#length(4);
    const list: RList = { type: 'list', values: [], attributes: new Map() };
    if (count === 0) return this.#withAttributes(list, hasAttributes);
    return this.#push((item) => {
      list.values.push(item);
      if (list.values.length < count) return undefined;
      if (!hasAttributes) return list;
      this.#frames.pop();
      return this.#withAttributes(list, true);
    });
  }

  /** A pairlist cell by cell: what follows a cell is read here, so a long list is no deep one. */
  #pairs(first: number): undefined {
    const pairs: RPairs = { type: 'pairs', items: [], attributes: new Map() };
    const code = PAIRED[first & 255];
    let flags = first;
    let tag: string | null = null;
    let awaited: 'attributes' | 'tag' | 'value' | 'rest' = 'value';
    const start = (cell: number): void => {
      flags = cell;
      tag = null;
      const type = cell & 255;
      const hasAttributes = (cell & 0x200) !== 0 || type === 239 || type === 240;
      awaited = hasAttributes ? 'attributes' : (cell & 0x400) !== 0 ? 'tag' : 'value';
    };
    const done = (): RValue => (code === undefined ? pairs : opaque(code));
    start(first);
    return this.#push((item) => {
      switch (awaited) {
        case 'attributes':
          awaited = (flags & 0x400) !== 0 ? 'tag' : 'value';
          return undefined;
        case 'tag':
          tag = item.type === 'symbol' ? item.name : null;
          awaited = 'value';
          return undefined;
        case 'value': {
          pairs.items.push({ tag, value: item });
          const next = this.#input.int();
          const type = next & 255;
          if (type === 254) return done();
          if (code === undefined && (type === LISTSXP || type === LANGSXP || type === 239 || type === 240)) start(next);
          else {
            awaited = 'rest';
            this.#flags = next;
          }
          if (++this.#valueCount > MAX_VALUES) throw new SerialError(`holds more than ${MAX_VALUES} objects`);
          return undefined;
        }
        case 'rest':
          pairs.items.push({ tag: null, value: item });
          return done();
      }
    });
  }

  #environment(): undefined {
    this.#input.int();
    const variables = new Map<string, RValue>();
    const environment = { type: 'environment', variables, attributes: new Map<string, RValue>() } as const;
    this.#references.push(environment);
    const parts: RValue[] = [];
    return this.#push((item) => {
      parts.push(item);
      if (parts.length < 4) return undefined;
      const [, frame, table] = parts;
      for (const pairs of [frame, ...(table?.type === 'list' ? table.values : [])]) {
        if (pairs?.type !== 'pairs') continue;
        for (const { tag, value } of pairs.items) if (tag !== null) variables.set(tag, value);
      }
      return environment;
    });
  }

  /** Namespaces, packages and persistent names: a count and texts. */
  #named(type: number): undefined | RValue {
    if (this.#input.int() !== 0) throw new SerialError('names of a namespace have names');
    const count = this.#length(4);
    const value = opaque(type === 249 ? 'namespace' : 'package');
    if (count === 0) return this.#register(value);
    let seen = 0;
    return this.#push(() => (++seen < count ? undefined : this.#register(value)));
  }

  #pointer(hasAttributes: boolean): undefined {
    const value = opaque('external pointer');
    this.#register(value);
    let seen = 0;
    return this.#push(() => {
      if (++seen < 2) return undefined;
      if (!hasAttributes) return value;
      this.#frames.pop();
      return this.#withAttributes(value, true);
    });
  }

  /** Vectors that R keeps in short (ALTREP): sequences, texts of numbers, wrappers. */
  #compact(): undefined {
    const parts: RValue[] = [];
    return this.#push((item) => {
      parts.push(item);
      if (parts.length < 3) return undefined;
      const [info, state, attributes] = parts;
      const value = this.#expand(info, state);
      if (attributes?.type !== 'pairs') return value;
      // The value may be shared with the wrapped one: its attributes are its own.
      const own = new Map<string, RValue>();
      for (const { tag, value: content } of attributes.items) if (tag !== null) own.set(tag, content);
      return { ...value, attributes: own };
    });
  }

  #expand(info: RValue | undefined, state: RValue | undefined): RVector | RList {
    const first = info?.type === 'pairs' ? info.items[0]?.value : undefined;
    const name = first?.type === 'symbol' ? first.name : '';
    const wrapped =
      state?.type === 'list' ? state.values[0] : state?.type === 'pairs' ? state.items[0]?.value : undefined;
    if (name === 'compact_intseq' || name === 'compact_realseq') {
      const [length = -1, from = 0, step = 0] = numbersOf(state) ?? [];
      this.#expanded += length;
      if (!Number.isInteger(length) || length < 0 || this.#expanded > MAX_EXPANDED) {
        throw new SerialError(`has a sequence of ${length} numbers, ${MAX_EXPANDED} are the most`);
      }
      const attributes = new Map<string, RValue>();
      const at = (_: unknown, i: number): number => from + i * step;
      return name === 'compact_intseq'
        ? { type: 'integer', values: Int32Array.from({ length }, at), attributes }
        : { type: 'double', values: Float64Array.from({ length }, at), attributes };
    }
    if (name === 'deferred_string' && (wrapped?.type === 'integer' || wrapped?.type === 'double')) {
      const { type } = wrapped;
      const values = Array.from(wrapped.values, (value) => deferredText(type, value));
      return { type: 'character', values, attributes: new Map() };
    }
    if (name.startsWith('wrap_') && wrapped !== undefined && 'values' in wrapped) {
      return { ...wrapped, attributes: new Map(wrapped.attributes) };
    }
    throw new SerialError(`holds a compact vector of class "${name}", which is not known`);
  }

  #register<T extends RValue>(value: T): T {
    this.#references.push(value);
    return value;
  }
}

/** Numbers as R prints them into texts: 15 significant digits. */
function deferredText(type: RVector['type'], value: number): string | null {
  if (type === 'integer') return value === -2147483648 ? null : String(value);
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Inf' : '-Inf';
  return String(Number(value.toPrecision(15))).replace(/e([+-])(\d)$/, 'e$10$2');
}

function textOfItem(item: RValue): string {
  return item.type === 'character' ? (item.values[0] ?? 'NA') : '';
}

function opaque(what: string): Extract<RValue, { type: 'opaque' }> {
  return { type: 'opaque', what, attributes: new Map() };
}
