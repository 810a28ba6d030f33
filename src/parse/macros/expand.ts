import type { Diagnostic } from '../../domain/diagnostic.js';
import { depthChange, type Token } from '../../domain/fragment.js';
import { locate } from '../../domain/location.js';
import type { SqlText } from '../../domain/model.js';
import { didYouMean } from '../../domain/near-miss.js';
import { tokenize } from '../tokenizer.js';
import { builtInMacros } from './built-in.js';
import { clauseEnd, clauseKeywords, clauseMacroNames, withoutJoinWords } from './clauses.js';
import { evaluateConstant, NotConstantError, truth } from './constant-expression.js';
import { type BuiltInMacro, type MacroArgument, type MacroCall, MacroProblem } from './macro-call.js';
import {
  bareText,
  collectionItems,
  joinPieces,
  made,
  type Piece,
  type Pieces,
  textOfPieces,
  trimPieces,
} from './pieces.js';
import { type MacroDefinition, type MacroScope, readLambda } from './scope.js';

/** A text that is expanded, and how its places lead back to the author's statement. */
interface Expanding {
  readonly text: string;
  readonly tokens: readonly Token[];
  /** Set for text that comes from elsewhere (the body of a macro): all of it leads to the place of the call. */
  readonly calledAt?: number;
}

/** What a macro gives: one text, several, or nothing at all. */
type Expansion = Pieces | readonly Pieces[] | undefined;

/** Names that stand for arguments inside a lambda, bare or behind `@`. */
type Parameters = ReadonlyMap<string, Pieces>;

const noParameters: Parameters = new Map();
const takesLambda = new Set(['EACH', 'FILTER', 'REDUCE', 'DEF']);

/** Expands the macros of one statement, and collects what is wrong with them. */
export class MacroExpander {
  readonly errors: Diagnostic[] = [];
  readonly used = new Set<string>();
  /** A macro asked for the columns of a table that are not known yet. */
  needsColumns = false;
  readonly #sql: SqlText;
  readonly #scope: MacroScope;

  constructor(sql: SqlText, scope: MacroScope) {
    this.#sql = sql;
    this.#scope = scope;
  }

  expand(): Pieces {
    const { text } = this.#sql;
    return this.#range({ text, tokens: tokenize(text).tokens }, 0, text.length, noParameters);
  }

  /** Expands what stands between two offsets. */
  #range(from: Expanding, start: number, end: number, parameters: Parameters): Pieces {
    const out: Piece[] = [];
    let copied = start;
    const copyTo = (offset: number): void => {
      if (offset > copied) out.push(this.#verbatim(from, copied, offset));
      copied = Math.max(copied, offset);
    };
    const { tokens } = from;
    for (let at = tokens.findIndex((token) => token.start >= start); at >= 0 && at < tokens.length; at++) {
      const token = tokens[at];
      if (token === undefined || token.start >= end) break;
      if (token.start < copied) continue;
      const step = this.#step(from, at, parameters);
      if (step === undefined) continue;
      copyTo(token.start);
      copied = step.end;
      if (step.type === 'text') out.push(...step.pieces);
      else if (step.type === 'skip-join') dropTail(out, withoutJoinWords(textOfPieces(out)));
      else if (step.type === 'nothing' && !dropComma(out)) {
        // In front of the rest of a list: the comma that follows goes instead.
        const next = tokens.find((candidate) => candidate.start >= copied);
        if (next?.text === ',' && next.start < end) copied = next.end;
      }
    }
    copyTo(end);
    return out;
  }

  /** What becomes of the token at an index; undefined when it is copied as it is. */
  #step(from: Expanding, at: number, parameters: Parameters): Step | undefined {
    const token = from.tokens[at];
    if (token === undefined) return undefined;
    const next = from.tokens[at + 1];
    const origin = this.#originOf(from, token.start);
    if (token.type === 'word' && parameters.size > 0) {
      const value = parameters.get(token.value.toLowerCase());
      return value === undefined ? undefined : { type: 'text', pieces: value, end: token.end };
    }
    if (token.type === 'name' && token.value.includes('@')) {
      const name = this.#filled(token.value, parameters);
      return { type: 'text', pieces: made(`"${name.replaceAll('"', '""')}"`, origin), end: token.end };
    }
    // @'text with @x in it', a string; @"name", a name.
    if (token.text === '@' && next !== undefined && next.start === token.end && isQuoted(next)) {
      const filled = this.#filled(next.value, parameters);
      const quote = next.type === 'string' ? "'" : '"';
      const pieces = made(`${quote}${filled.replaceAll(quote, quote + quote)}${quote}`, origin);
      return { type: 'text', pieces, end: next.end };
    }
    if (token.type !== 'macro') return undefined;
    const isBraced = token.text.startsWith('@{');
    const name = token.text.replace(/[@{}]/g, '').toLowerCase();
    const value = parameters.get(name) ?? this.#variable(name, origin);
    if (isBraced) {
      if (value === undefined) return this.#unknown(from, token, name);
      return { type: 'text', pieces: made(bareText(textOfPieces(value)), origin), end: token.end };
    }
    const isCall = next?.text === '(' && next.start === token.end;
    if (isCall && this.#isFunction(name)) return this.#call(from, at, name, parameters);
    if (value === undefined) return this.#unknown(from, token, name);
    return { type: 'text', pieces: value, end: token.end };
  }

  #variable(name: string, origin: number): Pieces | undefined {
    const value = this.#scope.values.get(name);
    if (value === undefined) return undefined;
    this.used.add(name);
    return made(value, origin);
  }

  #isFunction(name: string): boolean {
    return (
      name.toUpperCase() in builtInMacros ||
      clauseMacroNames.has(name.toUpperCase()) ||
      this.#scope.functions.has(name) ||
      this.#scope.definitions.has(name)
    );
  }

  #call(from: Expanding, at: number, name: string, parameters: Parameters): Step {
    const token = from.tokens[at];
    if (token === undefined) throw new Error('no token at the call');
    const upper = name.toUpperCase();
    const close = closingToken(from.tokens, at + 1);
    const end = from.tokens[close]?.end ?? from.text.length;
    const origin = this.#originOf(from, token.start);
    this.used.add(name);
    try {
      if (close < 0) throw new MacroProblem(`the parenthesis of @${upper} is never closed`);
      const pieces = splitArguments(from.tokens.slice(at + 2, close));
      if (clauseMacroNames.has(upper)) {
        const condition = pieces[0] === undefined ? '' : textOfPieces(this.#argumentText(from, pieces[0], parameters));
        const holds = truth(this.#constant(condition));
        if (holds) return { type: 'text', pieces: made(`${clauseKeywords[upper]}`, origin), end };
        const skipped = clauseEnd(from.tokens, close + 1, upper);
        const until = from.tokens[skipped]?.start ?? from.text.length;
        return { type: upper === 'JOIN' ? 'skip-join' : 'skip', end: until };
      }
      const { given, named } = this.#arguments(from, pieces, upper, parameters);
      const result = this.#evaluate({ name, given, named, origin }, parameters);
      if (result === undefined || (isList(result) && result.length === 0)) return { type: 'nothing', end };
      if (!isList(result)) return { type: 'text', pieces: result, end };
      return { type: 'text', pieces: joinPieces(result, ', ', origin), items: result, end };
    } catch (thrown) {
      const message = problemText(thrown);
      this.#report(from, token, `@${upper}: ${message}`, thrown instanceof MacroProblem ? thrown.hint : undefined);
      return { type: 'text', pieces: made('NULL', origin), end };
    }
  }

  #evaluate(
    call: Pick<MacroCall, 'given' | 'named' | 'origin'> & { readonly name: string },
    parameters: Parameters,
  ): Expansion {
    const { name, given, named, origin } = call;
    const definition = this.#scope.definitions.get(name);
    if (definition !== undefined) return this.#applyDefinition(definition, given, origin);
    const own = this.#scope.functions.get(name);
    const texts = (): readonly string[] =>
      given.map((one) => {
        if (one.type === 'lambda') throw new MacroProblem('takes SQL, not a lambda');
        return textOfPieces(one.pieces);
      });
    if (own !== undefined) {
      const result = own(
        {
          columnsOf: (table) => this.#columnsOf(table),
          variable: (variable) => this.#scope.values.get(variable.toLowerCase()),
        },
        texts(),
        Object.fromEntries([...named].map(([key, value]) => [key, textOfPieces(value)])),
      );
      if (result === null || result === undefined) return undefined;
      return typeof result === 'string' ? made(result, origin) : result.map((text) => made(text, origin));
    }
    const builtIn: BuiltInMacro | undefined = builtInMacros[name.toUpperCase()];
    if (builtIn === undefined) throw new MacroProblem('does not exist');
    return builtIn({
      given,
      named,
      origin,
      scope: this.#scope,
      filled: (text) => this.#filled(text, parameters),
      constant: (text) => this.#constant(text),
      columnsOf: (table) => this.#columnsOf(table),
    });
  }

  #columnsOf(table: string): ReturnType<MacroScope['columnsOf']> {
    const columns = this.#scope.columnsOf(table);
    if (columns === undefined) this.needsColumns = true;
    return columns;
  }

  #constant(text: string): ReturnType<typeof evaluateConstant> {
    return evaluateConstant(text);
  }

  #applyDefinition(definition: MacroDefinition, given: readonly MacroArgument[], origin: number): Pieces {
    const values = given.flatMap((one) => (one.type === 'lambda' ? [] : [one.pieces]));
    if (values.length !== definition.parameters.length)
      throw new MacroProblem(`takes ${definition.parameters.length} arguments, not ${values.length}`);
    const parameters = new Map(definition.parameters.map((parameter, at) => [parameter, values[at] ?? []]));
    const { text, tokens } = definition;
    return trimPieces(this.#range({ text, tokens, calledAt: origin }, 0, text.length, parameters));
  }

  #arguments(
    from: Expanding,
    pieces: readonly (readonly Token[])[],
    name: string,
    parameters: Parameters,
  ): { readonly given: readonly MacroArgument[]; readonly named: ReadonlyMap<string, Pieces> } {
    const given: MacroArgument[] = [];
    const named = new Map<string, Pieces>();
    for (const tokens of pieces) {
      const [first, second] = tokens;
      if (second?.text === ':=' && first !== undefined) {
        named.set(first.value.toLowerCase(), this.#argumentText(from, tokens.slice(2), parameters));
        continue;
      }
      const lambda = takesLambda.has(name) ? readLambda(tokens) : undefined;
      if (lambda !== undefined) {
        given.push({ type: 'lambda', apply: (item) => this.#applyLambda(from, lambda, item, parameters) });
        continue;
      }
      if (named.size > 0) throw new MacroProblem('an argument without a name follows one with a name');
      // An argument that is one macro may be several items, or none.
      const alone = this.#alone(from, tokens, parameters);
      if (alone === 'nothing') continue;
      if (alone !== undefined) given.push(...alone.map((one) => ({ type: 'sql', pieces: one }) as const));
      else given.push({ type: 'sql', pieces: this.#argumentText(from, tokens, parameters) });
    }
    return { given, named };
  }

  /** The items of an argument that is nothing but one call of a macro. */
  #alone(from: Expanding, tokens: readonly Token[], parameters: Parameters): readonly Pieces[] | 'nothing' | undefined {
    const [first] = tokens;
    const at = first === undefined ? -1 : from.tokens.indexOf(first);
    if (first?.type !== 'macro' || closingToken(from.tokens, at + 1) !== at + tokens.length - 1) return undefined;
    const step = this.#step(from, at, parameters);
    if (step?.type === 'nothing') return 'nothing';
    if (step?.type !== 'text') return undefined;
    return step.items ?? [step.pieces];
  }

  #argumentText(from: Expanding, tokens: readonly Token[], parameters: Parameters): Pieces {
    const [first] = tokens;
    const last = tokens.at(-1);
    if (first === undefined || last === undefined) return [];
    return this.#range(from, first.start, last.end, parameters);
  }

  /** A tuple is spread over the parameters, anything else is the first. */
  #applyLambda(
    from: Expanding,
    lambda: { readonly parameters: readonly string[]; readonly body: readonly Token[] },
    item: Pieces | readonly Pieces[],
    outer: Parameters,
  ): Pieces | undefined {
    const spread = isList(item) ? item : lambda.parameters.length > 1 ? (collectionItems(item) ?? [item]) : [item];
    const own = lambda.parameters.map((parameter, at) => [parameter, spread[at] ?? made('NULL', 0)] as const);
    const parameters = new Map([...outer, ...own]);
    const alone = this.#alone(from, lambda.body, parameters);
    if (alone === 'nothing') return undefined;
    return this.#argumentText(from, lambda.body, parameters);
  }

  /** A text with `@x` and `@{x}` replaced by bare values; what is not known stays. */
  #filled(text: string, parameters: Parameters): string {
    return text.replace(/@\{([\p{L}_][\p{L}\p{N}_]*)\}|@([\p{L}_][\p{L}\p{N}_]*)/gu, (whole, braced, plain) => {
      const name = String(braced ?? plain).toLowerCase();
      const value = parameters.get(name);
      const sql = value === undefined ? this.#scope.values.get(name) : textOfPieces(value);
      if (sql !== undefined) this.used.add(name);
      return sql === undefined ? whole : bareText(sql);
    });
  }

  #verbatim(from: Expanding, start: number, end: number): Piece {
    const text = from.text.slice(start, end);
    return from.calledAt === undefined
      ? { text, origin: start, isVerbatim: true }
      : { text, origin: from.calledAt, isVerbatim: false };
  }

  #originOf(from: Expanding, offset: number): number {
    return from.calledAt ?? offset;
  }

  #unknown(from: Expanding, token: Token, name: string): Step {
    const known = [...this.#scope.values.keys(), ...this.#scope.functions.keys(), ...this.#scope.definitions.keys()];
    const builtIn = [...Object.keys(builtInMacros), ...clauseMacroNames].map((one) => one.toLowerCase());
    const hint = didYouMean(name, [...known, ...builtIn]);
    this.#report(from, token, `there is no macro or variable @${name}`, hint?.replace('"', '"@'));
    return { type: 'text', pieces: made('NULL', this.#originOf(from, token.start)), end: token.end };
  }

  #report(from: Expanding, token: Token, message: string, hint: string | undefined): void {
    const isOwn = from.calledAt === undefined;
    const start = this.#sql.span.start + (isOwn ? token.start : (from.calledAt ?? 0));
    const length = isOwn ? token.text.length : 1;
    this.errors.push({
      code: 'SL0206',
      severity: 'error',
      message,
      location: locate(this.#sql.file, { start, end: start + length }),
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

type Step =
  /** `items`: a list, taken apart again where it is the argument of another macro. */
  | { readonly type: 'text'; readonly pieces: Pieces; readonly items?: readonly Pieces[]; readonly end: number }
  /** Neither the macro nor a comma beside it stays. */
  | { readonly type: 'nothing'; readonly end: number }
  /** A clause that is left out; of a join, the words before JOIN too. */
  | { readonly type: 'skip' | 'skip-join'; readonly end: number };

function isList(result: Pieces | readonly Pieces[]): result is readonly Pieces[] {
  return result.length > 0 ? Array.isArray(result[0]) : true;
}

function isQuoted(token: Token): boolean {
  return token.type === 'string' || token.type === 'name';
}

/** @returns index of the token that closes the parenthesis at `open`; -1 when none does */
function closingToken(tokens: readonly Token[], open: number): number {
  if (tokens[open]?.text !== '(') return -1;
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    const token = tokens[at];
    if (token !== undefined) depth += depthChange(token);
    if (depth === 0) return at;
  }
  return -1;
}

function splitArguments(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const pieces: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    depth += depthChange(token);
    if (depth === 0 && token.text === ',') pieces.push([]);
    else pieces.at(-1)?.push(token);
  }
  return pieces.filter((piece) => piece.length > 0);
}

/** Takes a comma at the end, and what white space follows it, away again. */
function dropComma(out: Piece[]): boolean {
  const text = textOfPieces(out);
  const trimmed = text.trimEnd();
  if (!trimmed.endsWith(',')) return false;
  dropTail(out, trimmed.length - 1);
  return true;
}

function dropTail(out: Piece[], length: number): void {
  let before = 0;
  for (let at = 0; at < out.length; at++) {
    const piece = out[at];
    if (piece === undefined) break;
    if (before + piece.text.length > length) {
      out[at] = { ...piece, text: piece.text.slice(0, length - before) };
      out.length = at + 1;
      return;
    }
    before += piece.text.length;
  }
}

function problemText(thrown: unknown): string {
  if (thrown instanceof MacroProblem || thrown instanceof NotConstantError) return thrown.message;
  // A user's own macro may throw anything: it is an error of the project, not of ours.
  return thrown instanceof Error ? thrown.message : String(thrown);
}
