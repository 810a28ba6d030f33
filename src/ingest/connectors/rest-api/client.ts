import { setTimeout as sleep } from 'node:timers/promises';
import { type Http, type HttpResponse, requestHttp } from '../../../effects/http.js';
import { askedWait, hintFor, plainReason, waitBefore } from '../../download.js';
import { type ConnectorEffects, PlaceError } from '../connector.js';
import { bodyOf } from './body.js';
import type { Credentials } from './credentials.js';

const ATTEMPTS = 6;
/** Where something came before, nobody waits long for a server that is away. */
const ATTEMPTS_WITH_LANDED = 3;
const IDLE_MS = 60_000;
/** One answer is held in memory as a text. */
const MAX_ANSWER_BYTES = 256 * 2 ** 20;
const EXCERPT_CHARACTERS = 200;

/** One answer. */
export interface Answer {
  /** JSON for certain, or empty. */
  readonly text: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** After redirects, without credentials. */
  readonly url: URL;
}

/** Asks one interface for pages, each as often as it takes: a page that fails does not begin the others anew. */
export class ApiClient {
  readonly #home: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #credentials: Credentials;
  readonly #http: Http;
  readonly #effects: ConnectorEffects;
  readonly #attempts: number;

  /**
   * @param home       address of the interface: credentials and declared headers go to its host only
   * @param hasLanded  whether there is something to fall back to
   */
  constructor(
    home: URL,
    asking: {
      readonly headers: Readonly<Record<string, string>>;
      readonly credentials: Credentials;
      readonly hasLanded: boolean;
    },
    effects: ConnectorEffects,
  ) {
    this.#home = home;
    this.#headers = { accept: 'application/json', ...asking.headers };
    this.#credentials = asking.credentials;
    this.#http = effects.http ?? requestHttp;
    this.#effects = effects;
    this.#attempts = asking.hasLanded ? ATTEMPTS_WITH_LANDED : ATTEMPTS;
  }

  /** A text without the credentials in it. */
  clean(text: string): string {
    return this.#credentials.without(text);
  }

  /** An address as it may be shown. */
  shown(url: URL): string {
    return this.#credentials.without(this.withoutCredentials(url).href);
  }

  /** An address without the parameters that carry credentials. */
  withoutCredentials(url: URL): URL {
    const plain = new URL(url);
    plain.username = '';
    plain.password = '';
    plain.hash = '';
    for (const name of this.#credentials.queryNames) plain.searchParams.delete(name);
    return plain;
  }

  /**
   * @param url  without credentials
   * @throws PlaceError
   */
  async ask(url: URL): Promise<Answer> {
    let isRenewed = false;
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.#tryOnce(url);
      if (outcome.type === 'answer') return outcome.answer;
      if (outcome.type === 'refused') {
        // A token may be taken back before its time is over.
        if (outcome.status === 401 && this.#credentials.canRenew && !isRenewed) {
          isRenewed = true;
          this.#credentials.forgetToken();
          attempt -= 1;
          continue;
        }
        throw new PlaceError('refused', `${outcome.reason} at ${this.shown(url)}`, hintFor(outcome.status));
      }
      if (attempt + 1 >= this.#attempts)
        throw new PlaceError(
          'unreachable',
          `${outcome.reason} at ${this.shown(url)}`,
          'try again once the server is there',
        );
      await this.#wait(outcome.waitMs ?? waitBefore(attempt, Math.random));
    }
  }

  #wait(ms: number): Promise<void> {
    return (this.#effects.sleep ?? ((wait) => sleep(wait)))(ms);
  }

  async #tryOnce(
    url: URL,
  ): Promise<
    | { readonly type: 'answer'; readonly answer: Answer }
    | { readonly type: 'again'; readonly reason: string; readonly waitMs?: number }
    | { readonly type: 'refused'; readonly reason: string; readonly status: number }
  > {
    let response: HttpResponse;
    let text: string;
    try {
      response = await this.#send(url);
      text = await bodyOf(response, MAX_ANSWER_BYTES);
    } catch (thrown) {
      if (thrown instanceof PlaceError) throw thrown;
      const isWrong = thrown instanceof RangeError || thrown instanceof TypeError;
      const reason = this.#credentials.without(
        thrown instanceof TypeError ? 'the answer is not UTF-8' : plainReason(thrown),
      );
      return isWrong ? { type: 'refused', reason, status: 0 } : { type: 'again', reason };
    }
    const { status, headers } = response;
    const answers = `the server answers ${status}`;
    if (status === 429 || status === 408 || status >= 500) {
      const waitMs = askedWait(headers, this.#effects.now?.() ?? new Date());
      return { type: 'again', reason: answers, ...(waitMs === undefined ? {} : { waitMs }) };
    }
    // Some say so that there is nothing.
    if (status === 204)
      return { type: 'answer', answer: { text: '', headers, url: this.withoutCredentials(response.url) } };
    if (status !== 200 && status !== 206 && status !== 203)
      return { type: 'refused', reason: `${answers}${this.#excerpt(text)}`, status };
    if (!isJson(text)) {
      // Of a server that says no length, an answer that was cut looks like this.
      return /^\s*[[{]/.test(text)
        ? { type: 'again', reason: 'the answer is no whole JSON' }
        : { type: 'refused', reason: `the answer is no JSON${this.#excerpt(text)}`, status };
    }
    return { type: 'answer', answer: { text, headers, url: this.withoutCredentials(response.url) } };
  }

  async #send(url: URL): Promise<HttpResponse> {
    // What is meant for one host stays with it, and never goes from https to http.
    const isHome = url.host === this.#home.host && !(this.#home.protocol === 'https:' && url.protocol === 'http:');
    if (!isHome) {
      if (this.#credentials.isIn(url.href))
        throw new PlaceError(
          'refused',
          'the next address leads to another host, with the credentials in it',
          'nothing was sent there; ask those who run the interface',
        );
      return this.#http({ url, headers: { accept: 'application/json' }, idleMs: IDLE_MS });
    }
    const { headers, query } = await this.#credentials.signature();
    const signed = new URL(url);
    for (const [name, value] of Object.entries(query)) signed.searchParams.set(name, value);
    return this.#http({
      url: signed,
      headers: { ...this.#headers, ...headers },
      idleMs: IDLE_MS,
      secretNames: {
        headers: [...Object.keys(headers), ...Object.keys(this.#headers)].filter(isNotPlain),
        query: Object.keys(query),
      },
    });
  }

  /** What the server says about a refusal: its first words, without the secrets. */
  #excerpt(text: string): string {
    const words = this.#credentials.without(text.replaceAll(/\s+/g, ' ').trim());
    if (words === '' || words.startsWith('<')) return '';
    return ` (${words.length > EXCERPT_CHARACTERS ? `${words.slice(0, EXCERPT_CHARACTERS)}…` : words})`;
  }
}

function isNotPlain(header: string): boolean {
  return header !== 'accept';
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
