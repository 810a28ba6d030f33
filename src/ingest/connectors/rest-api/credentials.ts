import type { Auth, Signature } from '../../../domain/api/auth.js';
import type { Variables } from '../../../domain/api/secret.js';
import { isRecord, textAt } from '../../../domain/json.js';
import type { Http } from '../../../effects/http.js';
import { PlaceError } from '../connector.js';
import { bodyOf } from './body.js';

const IDLE_MS = 60_000;
const MAX_TOKEN_BYTES = 1 << 20;
/** A token is renewed before the time that it is said to last is over. */
const USED_PART = 0.9;

/** Signs requests of one source, and keeps what signs them out of every message. */
export class Credentials {
  readonly #auth: Auth | undefined;
  readonly #values: Variables;
  readonly #http: Http;
  readonly #now: () => Date;
  #token = '';
  #validUntilMs = Number.POSITIVE_INFINITY;
  readonly #secrets = new Set<string>();

  constructor(
    auth: Auth | undefined,
    outside: { readonly values: Variables; readonly http: Http; readonly now: () => Date },
  ) {
    this.#auth = auth;
    this.#values = outside.values;
    this.#http = outside.http;
    this.#now = outside.now;
    for (const value of outside.values.values()) this.#hide(value);
  }

  /** Whether another token may open what this one does not. */
  get canRenew(): boolean {
    return this.#auth?.grant !== undefined;
  }

  /** @throws PlaceError where a token is wanted and not given; anything that the connection throws */
  async signature(): Promise<Signature> {
    if (this.#auth === undefined) return { headers: {}, query: {} };
    if (this.canRenew && (this.#token === '' || this.#now().getTime() >= this.#validUntilMs)) await this.#renew();
    const signature = this.#auth.sign(this.#values, this.#token);
    for (const value of Object.values(signature.headers)) this.#hide(value.replace(/^\w+ /, ''));
    return signature;
  }

  /** Names of parameters of the query that carry credentials. */
  get queryNames(): readonly string[] {
    return Object.keys(this.#auth?.sign(this.#values, this.#token).query ?? {});
  }

  /** The next request gets another token first. */
  forgetToken(): void {
    this.#token = '';
  }

  async #renew(): Promise<void> {
    const { grant } = this.#auth ?? {};
    if (grant === undefined) return;
    const response = await this.#http({
      url: new URL(grant.url),
      headers: { accept: 'application/json' },
      idleMs: IDLE_MS,
      form: grant.form(this.#values),
    });
    const text = await bodyOf(response, MAX_TOKEN_BYTES);
    if (response.status === 429 || response.status === 408 || response.status >= 500)
      throw new Error(`the server of the token answers ${response.status}`);
    const answer = objectOf(text);
    this.#token = textAt(answer, 'access_token');
    if (response.status !== 200 || this.#token === '')
      throw new PlaceError(
        'refused',
        `the server of the token answers ${response.status}${this.#token === '' ? ' and gives no token' : ''}${this.without(reasonIn(answer))}`,
        'look at token_url, and at the variables of the client',
      );
    this.#hide(this.#token);
    const lastsSeconds = Number(answer.expires_in);
    this.#validUntilMs =
      lastsSeconds > 0 ? this.#now().getTime() + lastsSeconds * 1000 * USED_PART : Number.POSITIVE_INFINITY;
  }

  /** A text without the secrets in it. */
  without(text: string): string {
    let clean = text;
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, '***');
    return clean;
  }

  /** Whether a text holds a secret. */
  isIn(text: string): boolean {
    return this.without(text) !== text;
  }

  #hide(secret: string): void {
    // Shorter ones are parts of everything.
    if (secret.length < 4) return;
    for (const form of [secret, encodeURIComponent(secret), new URLSearchParams({ s: secret }).toString().slice(2)])
      this.#secrets.add(form);
    this.#secrets.add(Buffer.from(secret).toString('base64'));
  }
}

function objectOf(text: string): { readonly [key: string]: unknown } {
  try {
    const answer: unknown = JSON.parse(text);
    return isRecord(answer) ? answer : {};
  } catch {
    return {};
  }
}

/** @source RFC 6749, section 5.2 */
function reasonIn(answer: { readonly [key: string]: unknown }): string {
  const said = textAt(answer, 'error_description') || textAt(answer, 'error');
  return said === '' ? '' : `: ${said.slice(0, 200)}`;
}
