import { isRecord, type JsonRecord } from '../domain/json.js';
import { type Http, type HttpResponse, requestHttp } from '../effects/http.js';
import { asked, StatusError, statusIn } from './asked.js';
import { type ListEffects, PlaceError } from './connectors/connector.js';
import { askedWait } from './download.js';

const IDLE_MS = 60_000;
/** More than any list of files is; what is longer is none. */
const LONGEST_BYTES = 256 << 20;

/** An archive's interface: small answers as JSON or text, and its files. */
export interface WebApi {
  /** Fetches files. Whoever asks is named to the archive's own host only, and to nobody that it sends us on to. */
  readonly http: Http;
  /** @throws PlaceError where it does not answer, or answers with something else than a JSON value */
  json(url: URL): Promise<unknown>;
  /** `json`, which has to be an object; undefined where the archive has no such thing. @throws PlaceError */
  record(url: URL): Promise<JsonRecord | undefined>;
  /** A text and the headers it came with; undefined where the archive has no such thing. @throws PlaceError */
  text(url: URL): Promise<{ readonly text: string; readonly headers: HttpResponse['headers'] } | undefined>;
}

/** Who asks an archive. */
export interface Asker {
  /** Headers that say so, by lower-case name; none for anybody. */
  readonly headers: Readonly<Record<string, string>>;
  /** What to do where the archive wants to know it, or others. */
  readonly hint: string;
}

/**
 * Opens an archive's interface.
 *
 * @param base  where it is; credentials go to its host alone
 */
export function openWebApi(base: URL, who: Asker, effects: ListEffects): WebApi {
  const send = effects.http ?? requestHttp;
  const http: Http = ({ url, headers, idleMs }) =>
    send({
      url,
      // Archives let programs that name themselves ask more often.
      headers: { 'user-agent': 'scilake', ...headers, ...(url.origin === base.origin ? who.headers : {}) },
      idleMs,
    });
  const text: WebApi['text'] = (url) =>
    asked(
      async () => {
        const { status, headers, body } = await http({ url, headers: {}, idleMs: IDLE_MS });
        if (status === 404 || status === 410) {
          body.destroy();
          return undefined;
        }
        if (status !== 200) {
          body.destroy();
          if (status === 401 || status === 403)
            throw new PlaceError('refused', `the server answers ${status}`, who.hint);
          throw new StatusError(status, askedWait(headers, new Date()));
        }
        const blocks: Buffer[] = [];
        let sizeBytes = 0;
        for await (const block of body) {
          const bytes = Buffer.from(block);
          sizeBytes += bytes.length;
          if (sizeBytes > LONGEST_BYTES) {
            body.destroy();
            throw new PlaceError('refused', 'the server sends more than a list of files', 'look at the address');
          }
          blocks.push(bytes);
        }
        return { text: Buffer.concat(blocks).toString('utf8'), headers };
      },
      statusIn,
      effects,
    );
  const parsed = (answer: string): unknown => {
    try {
      return JSON.parse(answer);
    } catch {
      throw new PlaceError('refused', 'the server answers with something else than JSON', `look at ${base.origin}`);
    }
  };

  return {
    http,
    text,
    async json(url) {
      const answer = await text(url);
      if (answer === undefined) throw notThere();
      return parsed(answer.text);
    },
    async record(url) {
      const answer = await text(url);
      if (answer === undefined) return undefined;
      const value = parsed(answer.text);
      if (!isRecord(value)) throw new PlaceError('refused', 'the server answers with another JSON', 'look at it');
      return value;
    },
  };
}

/** What is said of an address that an archive knows nothing of. */
export function notThere(): PlaceError {
  return new PlaceError('refused', 'the server answers 404', 'look whether the address is still right');
}

/**
 * Where an archive is: its own address, or the one that a variable gives.
 *
 * @returns     with a slash at its end
 * @throws PlaceError where the variable holds no address
 */
export function baseOf(name: string, usual: string, effects: ListEffects): URL {
  const given = (effects.environment ?? process.env)[name];
  const text = given === undefined || given === '' ? usual : given;
  if (!URL.canParse(text))
    throw new PlaceError('refused', `${name} is no address`, `write https://host, or unset ${name} for ${usual}`);
  return new URL(text.endsWith('/') ? text : `${text}/`);
}
