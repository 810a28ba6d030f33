import type { Token } from '../../domain/fragment.js';
import { tokenize } from '../tokenizer.js';

/** What a condition of `@IF` or the argument of `@EVAL` comes to. */
export type Constant = null | boolean | number | string;

/** The text is no expression over constants: it names a column, or uses what is not known here. */
export class NotConstantError extends Error {
  override readonly name = 'NotConstantError';
}

/**
 * The value of a SQL expression over literals: arithmetic, comparisons, AND/OR/NOT, IN, LIKE, BETWEEN, IS, CASE, casts and
 * the functions below. NULL behaves as in SQL; as a condition it does not hold.
 *
 * @throws NotConstantError with what cannot be evaluated
 */
export function evaluateConstant(sql: string): Constant {
  const reader = new Reader(tokenize(sql).tokens);
  const value = reader.expression(0);
  reader.finish();
  return value;
}

/** A constant as SQL. */
export function constantText(value: Constant): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return value;
  return typeof value === 'boolean' ? String(value).toUpperCase() : String(value);
}

const binaryPower: Readonly<Record<string, number>> = {
  OR: 1,
  AND: 2,
  '=': 4,
  '==': 4,
  '<>': 4,
  '!=': 4,
  '<': 4,
  '<=': 4,
  '>': 4,
  '>=': 4,
  IS: 4,
  IN: 4,
  LIKE: 4,
  ILIKE: 4,
  BETWEEN: 4,
  NOT: 4,
  '||': 5,
  '+': 6,
  '-': 6,
  '*': 7,
  '/': 7,
  '%': 7,
  '//': 7,
  '::': 9,
};

const functions: Readonly<Record<string, (values: readonly Constant[]) => Constant>> = {
  UPPER: ([text]) => onText(text, (t) => t.toUpperCase()),
  LOWER: ([text]) => onText(text, (t) => t.toLowerCase()),
  TRIM: ([text]) => onText(text, (t) => t.trim()),
  LENGTH: ([text]) => (text === null || text === undefined ? null : [...String(text)].length),
  LEN: ([text]) => (text === null || text === undefined ? null : [...String(text)].length),
  ABS: ([n]) => (typeof n === 'number' ? Math.abs(n) : null),
  ROUND: ([n, digits]) => (typeof n === 'number' ? Number(n.toFixed(typeof digits === 'number' ? digits : 0)) : null),
  CONCAT: (values) => values.map((value) => (value === null ? '' : String(value))).join(''),
  COALESCE: (values) => values.find((value) => value !== null) ?? null,
  NULLIF: ([a = null, b = null]) => (a === b ? null : a),
  REPLACE: ([text, from, to]) => onText(text, (t) => t.replaceAll(String(from), String(to))),
  SUBSTRING: ([text, from, count]) =>
    onText(text, (t) =>
      t.slice(Number(from) - 1, count === undefined || count === null ? undefined : Number(from) - 1 + Number(count)),
    ),
  STARTS_WITH: ([text, start]) => (text === null || start === null ? null : String(text).startsWith(String(start))),
  CONTAINS: ([text, part]) => (text === null || part === null ? null : String(text).includes(String(part))),
  GREATEST: (values) => values.reduce((a, b) => (compare(a ?? null, b ?? null) >= 0 ? a : b), values[0] ?? null),
  LEAST: (values) => values.reduce((a, b) => (compare(a ?? null, b ?? null) <= 0 ? a : b), values[0] ?? null),
};

class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  finish(): void {
    const rest = this.#tokens[this.#at];
    if (rest !== undefined) throw new NotConstantError(`"${rest.text}" stands where the expression should end`);
  }

  expression(power: number): Constant {
    let left = this.#operand();
    for (;;) {
      const operator = this.#operator();
      const own = binaryPower[operator] ?? 0;
      if (own === 0 || own <= power) return left;
      this.#at += operator === '//' || operator === '==' ? 2 : 1;
      left = this.#binary(operator, own, left);
    }
  }

  /** `//` and `==` are two tokens to the tokenizer, which knows no division. */
  #operator(): string {
    const [token, next] = [this.#tokens[this.#at], this.#tokens[this.#at + 1]];
    if (token === undefined || token.type === 'string' || token.type === 'name') return '';
    const isDouble =
      next?.start === token.end && next.text === token.text && (token.text === '/' || token.text === '=');
    return isDouble ? `${token.text}${token.text}` : token.text.toUpperCase();
  }

  #binary(operator: string, power: number, left: Constant): Constant {
    switch (operator) {
      case 'OR': {
        const right = this.expression(power);
        return left === true || right === true ? true : left === null || right === null ? null : false;
      }
      case 'AND': {
        const right = this.expression(power);
        return left === false || right === false
          ? false
          : left === null || right === null
            ? null
            : truth(left) && truth(right);
      }
      case 'NOT': {
        const inner = this.#operator();
        if (!['IN', 'LIKE', 'ILIKE', 'BETWEEN'].includes(inner)) throw this.#unexpected();
        this.#at++;
        return negated(this.#binary(inner, power, left));
      }
      case 'IS': {
        const isNegated = this.#accept('NOT');
        const right = this.expression(power);
        return (left === right) !== isNegated;
      }
      case 'IN':
        return this.#isIn(left);
      case 'BETWEEN': {
        const low = this.expression(4);
        if (!this.#accept('AND')) throw this.#unexpected();
        const high = this.expression(4);
        if (left === null || low === null || high === null) return null;
        return compare(left, low) >= 0 && compare(left, high) <= 0;
      }
      case 'LIKE':
      case 'ILIKE': {
        const pattern = this.expression(power);
        if (left === null || pattern === null) return null;
        const escaped = String(pattern).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
        const source = escaped.replaceAll('%', '[\\s\\S]*').replaceAll('_', '[\\s\\S]');
        return new RegExp(`^${source}$`, operator === 'LIKE' ? 'u' : 'iu').test(String(left));
      }
      case '::':
        return cast(left, this.#typeName());
      default:
        return combine(operator, left, this.expression(power));
    }
  }

  #isIn(left: Constant): Constant {
    const list = this.#list('(', ')');
    if (left === null) return null;
    return list.includes(left) ? true : list.includes(null) ? null : false;
  }

  #operand(): Constant {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new NotConstantError('the expression ends too early');
    this.#at++;
    const word = token.text.toUpperCase();
    if (token.type === 'number') return Number(token.text.replaceAll('_', ''));
    if (token.type === 'string') return token.value;
    if (token.text === '(') {
      const value = this.expression(0);
      this.#expect(')');
      return value;
    }
    if (token.text === '-' || token.text === '+') {
      const value = this.expression(8);
      if (value === null) return null;
      if (typeof value !== 'number') throw new NotConstantError(`${token.text} before something that is no number`);
      return token.text === '-' ? -value : value;
    }
    if (token.type !== 'word') throw this.#unexpected(token);
    if (word === 'NOT') return negated(this.expression(3));
    if (word === 'TRUE' || word === 'FALSE') return word === 'TRUE';
    if (word === 'NULL') return null;
    if (word === 'CASE') return this.#case();
    const next = this.#tokens[this.#at];
    // DATE '2024-01-01' compares like its text.
    if ((word === 'DATE' || word === 'TIMESTAMP' || word === 'TIMESTAMPTZ') && next?.type === 'string') {
      this.#at++;
      return next.value;
    }
    if (next?.text !== '(') throw new NotConstantError(`"${token.text}" is not a constant`);
    return this.#call(word, token);
  }

  #call(name: string, token: Token): Constant {
    if (name === 'CAST' || name === 'TRY_CAST') {
      this.#expect('(');
      const value = this.expression(0);
      if (!this.#accept('AS')) throw this.#unexpected();
      const type = this.#typeName();
      this.#expect(')');
      return cast(value, type);
    }
    const values = this.#list('(', ')');
    if (name === 'IF') return truth(values[0] ?? null) ? (values[1] ?? null) : (values[2] ?? null);
    const known = functions[name];
    if (known === undefined) throw new NotConstantError(`function ${token.text} cannot be evaluated here`);
    return known(values);
  }

  #case(): Constant {
    const subject = this.#peek('WHEN') ? undefined : this.expression(0);
    let found: Constant | undefined;
    while (this.#accept('WHEN')) {
      const condition = this.expression(0);
      if (!this.#accept('THEN')) throw this.#unexpected();
      const value = this.expression(0);
      const holds = subject === undefined ? truth(condition) : subject !== null && subject === condition;
      if (holds && found === undefined) found = value;
    }
    const otherwise = this.#accept('ELSE') ? this.expression(0) : null;
    if (!this.#accept('END')) throw this.#unexpected();
    return found === undefined ? otherwise : found;
  }

  #list(open: string, close: string): readonly Constant[] {
    this.#expect(open);
    const values: Constant[] = [];
    while (this.#tokens[this.#at]?.text !== close) {
      values.push(this.expression(0));
      if (this.#tokens[this.#at]?.text === ',') this.#at++;
      else if (this.#tokens[this.#at]?.text !== close) throw this.#unexpected();
    }
    this.#at++;
    return values;
  }

  #typeName(): string {
    const token = this.#tokens[this.#at];
    if (token?.type !== 'word') throw this.#unexpected();
    this.#at++;
    return token.text.toUpperCase();
  }

  #peek(word: string): boolean {
    return this.#tokens[this.#at]?.text.toUpperCase() === word;
  }

  #accept(word: string): boolean {
    if (!this.#peek(word)) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (this.#tokens[this.#at]?.text !== text) throw this.#unexpected();
    this.#at++;
  }

  #unexpected(token = this.#tokens[this.#at]): NotConstantError {
    return new NotConstantError(
      token === undefined ? 'the expression ends too early' : `"${token.text}" is not expected`,
    );
  }
}

function combine(operator: string, left: Constant, right: Constant): Constant {
  if (left === null || right === null) return null;
  switch (operator) {
    case '=':
    case '==':
      return left === right;
    case '<>':
    case '!=':
      return left !== right;
    case '<':
      return compare(left, right) < 0;
    case '<=':
      return compare(left, right) <= 0;
    case '>':
      return compare(left, right) > 0;
    case '>=':
      return compare(left, right) >= 0;
    case '||':
      return `${left}${right}`;
    default:
      return arithmetic(operator, Number(left), Number(right));
  }
}

function arithmetic(operator: string, left: number, right: number): Constant {
  if (Number.isNaN(left) || Number.isNaN(right))
    throw new NotConstantError(`${operator} on something that is no number`);
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return right === 0 ? null : left / right;
    case '//':
      return right === 0 ? null : Math.trunc(left / right);
    case '%':
      return right === 0 ? null : left % right;
    default:
      throw new NotConstantError(`operator ${operator} cannot be evaluated here`);
  }
}

function compare(left: Constant, right: Constant): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  const [a, b] = [String(left), String(right)];
  return a < b ? -1 : a > b ? 1 : 0;
}

function cast(value: Constant, type: string): Constant {
  if (value === null) return null;
  if (/^(?:INT|INTEGER|BIGINT|SMALLINT|TINYINT)/.test(type)) return Math.trunc(Number(value));
  if (/^(?:DOUBLE|FLOAT|REAL|DECIMAL|NUMERIC)/.test(type)) return Number(value);
  if (/^(?:BOOL)/.test(type)) return value === true || value === 1 || /^(?:true|t|1)$/i.test(String(value));
  return String(value);
}

function negated(value: Constant): Constant {
  return value === null ? null : !truth(value);
}

/** As a condition: NULL, zero and the empty string do not hold. */
export function truth(value: Constant): boolean {
  return value !== null && value !== false && value !== 0 && value !== '';
}

function onText(value: Constant | undefined, change: (text: string) => string): Constant {
  return value === null || value === undefined ? null : change(String(value));
}
