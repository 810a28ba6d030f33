import type { PropertyReader } from '../property-reader.js';
import type { Variables } from './secret.js';

/** What credentials add to a request. */
export interface Signature {
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

/** How an interface knows who asks. It holds names of variables; their values come when a request is made. */
export interface Auth {
  /** Variables of the environment that it takes. */
  readonly variables: readonly string[];
  /**
   * @param token  what `grant` brought; empty where there is none
   */
  sign(values: Variables, token: string): Signature;
  /** The request that brings a token, sent as a form, where one is needed first. */
  readonly grant?: { readonly url: string; form(values: Variables): Readonly<Record<string, string>> };
}

/** One kind of credentials. Adding one is a file, its test, and a line in `auths/index.ts`. */
export interface AuthKind {
  readonly name: string;
  read(properties: PropertyReader): Auth;
}
