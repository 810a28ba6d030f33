import type { ContentReader } from '../../content.js';
import { ALLOWED } from './allowed.js';
import { describeValue, isKind, itemsOf, type PDict, PickleError, type PValue } from './values.js';

const MAX_OPERATIONS = 50_000_000;
const MARK: unique symbol = Symbol('mark');
type Slot = PValue | typeof MARK;

/**
 * Runs the operations of a pickle, protocols 2 to 5 (and most of 0 and 1), without calling anything.
 *
 * @throws PickleError, EndOfContent
 * @source Python 3.12, Lib/pickletools.py
 */
export class PickleMachine {
  readonly #content: ContentReader;
  readonly #stack: Slot[] = [];
  readonly #memo = new Map<number, PValue>();

  constructor(content: ContentReader) {
    this.#content = content;
  }

  run(): PValue {
    for (let count = 0; count < MAX_OPERATIONS; count++) {
      this.#content.need(1);
      const operation = this.#content.byte();
      // STOP
      if (operation === 0x2e) return this.#pop();
      this.#step(operation);
    }
    throw new PickleError(`has more than ${MAX_OPERATIONS} operations`);
  }

  #step(operation: number): void {
    const content = this.#content;
    const letter = String.fromCharCode(operation);
    const made = this.#made(letter);
    if (made !== undefined) {
      this.#stack.push(made);
      return;
    }
    switch (letter) {
      case '\x80': {
        const protocol = this.#byte();
        if (protocol > 5) throw new PickleError(`has protocol ${protocol}, known are those up to 5`);
        return;
      }
      case '\x95':
        this.#long(8);
        return;
      case '(':
        this.#stack.push(MARK);
        return;
      case '0':
        this.#stack.pop();
        return;
      case '1':
        this.#popMark();
        return;
      case '2':
        this.#stack.push(this.#top());
        return;
      case 'a': {
        const item = this.#pop();
        this.#extend([item]);
        return;
      }
      case 'e':
      case '\x90':
        this.#extend(this.#popMark());
        return;
      case 's': {
        const value = this.#pop();
        const key = this.#pop();
        this.#dict().pairs.push([key, value]);
        return;
      }
      case 'u': {
        const pairs = pairsOf(this.#popMark());
        const dict = this.#dict();
        for (const pair of pairs) dict.pairs.push(pair);
        return;
      }
      case 'q':
        this.#memo.set(this.#byte(), this.#top());
        return;
      case 'r':
        this.#memo.set(this.#unsigned(4), this.#top());
        return;
      case 'p':
        this.#memo.set(Number(content.line()), this.#top());
        return;
      case '\x94':
        this.#memo.set(this.#memo.size, this.#top());
        return;
      case 'b': {
        const state = this.#pop();
        const object = this.#top();
        if (!isKind(object, 'object')) throw new PickleError(`gives a state to ${describeValue(object)}`);
        object.state = state;
        return;
      }
      default:
        throw new PickleError(
          `has the operation 0x${operation.toString(16)} at byte ${content.offset - 1}, which is not known or not allowed`,
        );
    }
  }

  /** The value that an operation puts on the stack; undefined for one that does something else. */
  #made(letter: string): PValue | undefined {
    const content = this.#content;
    switch (letter) {
      case 'N':
        return null;
      case '\x88':
        return true;
      case '\x89':
        return false;
      case 'I':
        return this.#decimalInt(content.line());
      case 'L':
        return this.#decimalInt(content.line().replace(/L$/, ''));
      case 'F':
        return Number(content.line());
      case 'K':
        return this.#byte();
      case 'M':
        return this.#unsigned(2);
      case 'J':
        return content.take(this.#needed(4)).readInt32LE(0);
      case '\x8a':
        return this.#bigInteger(this.#byte());
      case '\x8b':
        return this.#bigInteger(this.#unsigned(4));
      case 'G':
        return content.take(this.#needed(8)).readDoubleBE(0);
      case 'V':
        return content.line(1 << 20);
      case '\x8c':
        return this.#text(this.#byte());
      case 'X':
        return this.#text(this.#unsigned(4));
      case '\x8d':
        return this.#text(this.#long(8));
      case 'U':
        return this.#text(this.#byte());
      case 'T':
        return this.#text(this.#unsigned(4));
      case 'C':
        return this.#bytes(this.#byte());
      case 'B':
        return this.#bytes(this.#unsigned(4));
      case '\x8e':
      case '\x96':
        return this.#bytes(this.#long(8));
      case ']':
        return { kind: 'list', items: [] };
      case ')':
        return { kind: 'tuple', items: [] };
      case '}':
        return { kind: 'dict', pairs: [] };
      case '\x8f':
        return { kind: 'set', items: [] };
      case '\x91':
        return { kind: 'set', items: this.#popMark() };
      case 'l':
        return { kind: 'list', items: this.#popMark() };
      case 't':
        return { kind: 'tuple', items: this.#popMark() };
      case 'd':
        return { kind: 'dict', pairs: pairsOf(this.#popMark()) };
      case '\x85':
        return { kind: 'tuple', items: [this.#pop()] };
      case '\x86': {
        const second = this.#pop();
        return { kind: 'tuple', items: [this.#pop(), second] };
      }
      case '\x87': {
        const third = this.#pop();
        const second = this.#pop();
        return { kind: 'tuple', items: [this.#pop(), second, third] };
      }
      case 'h':
        return this.#recall(this.#byte());
      case 'j':
        return this.#recall(this.#unsigned(4));
      case 'g':
        return this.#recall(Number(content.line()));
      case 'c': {
        const module = content.line();
        return { kind: 'global', name: allowed(`${module}.${content.line()}`) };
      }
      case '\x93': {
        const name = this.#pop();
        const module = this.#pop();
        if (typeof name !== 'string' || typeof module !== 'string') throw new PickleError('names a global by no text');
        return { kind: 'global', name: allowed(`${module}.${name}`) };
      }
      case 'R':
      case '\x81': {
        const args = itemsOf(this.#pop());
        return this.#call(this.#pop(), args);
      }
      case '\x92': {
        this.#pop();
        const args = itemsOf(this.#pop());
        return this.#call(this.#pop(), args);
      }
      default:
        return undefined;
    }
  }

  #call(callee: PValue, args: readonly PValue[]): PValue {
    if (!isKind(callee, 'global')) throw new PickleError(`calls ${describeValue(callee)}`);
    const { name } = callee;
    if (name === '_codecs.encode') {
      // Bytes of protocol 2, spelt as text.
      const [text, encoding] = args;
      if (typeof text !== 'string' || (encoding !== 'latin1' && encoding !== 'latin-1')) {
        throw new PickleError('calls _codecs.encode otherwise than for bytes');
      }
      return { kind: 'bytes', bytes: Uint8Array.from(Buffer.from(text, 'latin1')) };
    }
    if (/^(?:builtins|__builtin__)\.getattr$/.test(name)) {
      const [owner, attribute] = args;
      // The one use that pandas makes of it: ZoneInfo._unpickle.
      if (!isKind(owner, 'global') || owner.name !== 'zoneinfo.ZoneInfo' || attribute !== '_unpickle') {
        throw new PickleError(`names ${name}, which is not allowed`);
      }
      return { kind: 'global', name: 'zoneinfo.ZoneInfo._unpickle' };
    }
    if (/\.bytearray$/.test(name)) {
      const [bytes] = args;
      if (bytes !== undefined && !isKind(bytes, 'bytes'))
        throw new PickleError(`calls ${name} otherwise than for bytes`);
      return bytes ?? { kind: 'bytes', bytes: new Uint8Array() };
    }
    return { kind: 'object', callee: name, args, state: null };
  }

  #pop(): PValue {
    const value = this.#stack.pop();
    if (value === undefined || value === MARK) throw new PickleError('takes a value that is not there');
    return value;
  }

  #top(): PValue {
    const value = this.#stack.at(-1);
    if (value === undefined || value === MARK) throw new PickleError('takes a value that is not there');
    return value;
  }

  /** The values above the last mark, which is taken too. */
  #popMark(): PValue[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) throw new PickleError('takes values up to a mark that is not there');
    const values = this.#stack.splice(at + 1).filter((slot): slot is PValue => slot !== MARK);
    this.#stack.pop();
    return values;
  }

  #extend(items: readonly PValue[]): void {
    const list = this.#top();
    if (!isKind(list, 'list') && !isKind(list, 'set')) throw new PickleError(`adds to ${describeValue(list)}`);
    for (const item of items) list.items.push(item);
  }

  #dict(): PDict {
    const dict = this.#top();
    if (!isKind(dict, 'dict')) throw new PickleError(`sets an entry of ${describeValue(dict)}`);
    return dict;
  }

  #recall(index: number): PValue {
    const value = this.#memo.get(index);
    if (value === undefined) throw new PickleError(`recalls value ${index}, which was not kept`);
    return value;
  }

  #needed(byteCount: number): number {
    this.#content.need(byteCount);
    return byteCount;
  }

  #byte(): number {
    this.#content.need(1);
    return this.#content.byte();
  }

  #unsigned(byteCount: 2 | 4): number {
    return this.#content.take(this.#needed(byteCount)).readUIntLE(0, byteCount);
  }

  #long(byteCount: 8): number {
    return Number(this.#content.take(this.#needed(byteCount)).readBigUInt64LE(0));
  }

  #text(byteCount: number): string {
    return this.#content.take(this.#needed(byteCount)).toString('utf8');
  }

  #bytes(byteCount: number): PValue {
    return { kind: 'bytes', bytes: new Uint8Array(this.#content.copy(this.#needed(byteCount))) };
  }

  #bigInteger(byteCount: number): number | bigint {
    if (byteCount > 4096) throw new PickleError(`has an integer of ${byteCount} bytes`);
    const bytes = this.#content.take(this.#needed(byteCount));
    let value = 0n;
    for (let i = byteCount - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
    if (byteCount > 0 && ((bytes[byteCount - 1] ?? 0) & 0x80) !== 0) value -= 1n << BigInt(8 * byteCount);
    return smallest(value);
  }

  #decimalInt(text: string): boolean | number | bigint {
    if (text === '00' || text === '01') return text === '01';
    if (!/^[+-]?\d{1,4000}$/.test(text)) throw new PickleError(`has "${text.slice(0, 20)}" as a number`);
    return smallest(BigInt(text));
  }
}

function smallest(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function pairsOf(items: readonly PValue[]): (readonly [PValue, PValue])[] {
  if (items.length % 2 !== 0) throw new PickleError('has a key without a value');
  return Array.from({ length: items.length / 2 }, (_, i) => [items[2 * i] ?? null, items[2 * i + 1] ?? null]);
}

function allowed(name: string): string {
  if (ALLOWED.has(name)) return name;
  throw new PickleError(`names ${name.slice(0, 200)}, which is not allowed`);
}
