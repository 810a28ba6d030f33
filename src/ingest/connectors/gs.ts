import { fail, succeed } from '../../domain/diagnostic.js';
import { isRecord, type JsonRecord, records, textAt } from '../../domain/json.js';
import { googleToken } from '../../effects/google-token.js';
import { type Http, requestHttp } from '../../effects/http.js';
import { objectUrl } from '../../effects/s3.js';
import { asked, StatusError, statusIn } from '../asked.js';
import { globBase, globMatcher, globPrefix, isGlob } from '../glob.js';
import { type ConnectorEffects, type RemoteConnector, type RemoteFile, single } from './connector.js';

const IDLE_MS = 60_000;
const FIELDS = 'name,size,generation,md5Hash,crc32c';

/**
 * Objects of Google Cloud Storage: a name, a pattern of names, or everything below a prefix that ends with a slash. Each
 * is fetched in the generation that was listed, and held against the checksums that the store gives.
 *
 * @source the JSON API of Cloud Storage, v1: objects.get, objects.list
 */
export const gs: RemoteConnector = {
  name: 'gs',
  schemes: ['gs'],
  async list(source, effects) {
    const [, bucket = '', key = ''] = /^gs:\/\/([^/]*)\/?(.*)$/is.exec(source.uri) ?? [];
    if (!/^[a-z0-9][a-z0-9._-]{1,220}$/.test(bucket) || (key === '' && !source.uri.endsWith('/'))) {
      return fail({
        code: 'SL0506',
        severity: 'error',
        message: `source "${source.name}": this is no address of an object`,
        location: source.uriLocation,
        hint: 'gs://bucket/name, gs://bucket/folder/*.csv or gs://bucket/folder/',
      });
    }
    const store = await openStore(bucket, effects);
    const isFolder = key === '' || key.endsWith('/');
    const object = isFolder ? undefined : await store.object(key);
    const name = key.split('/').at(-1) ?? key;
    if (object !== undefined) return succeed(single({ ...store.remote(object, ''), name }, store.http));
    if (!isFolder && !isGlob(key)) {
      const url = objectUrl('gs', bucket, key);
      return succeed(single({ name, url, ask: store.media(key, ''), version: '', checksums: [] }, store.http));
    }
    const base = globBase(key);
    const means = globMatcher(isFolder ? '**' : key.slice(base.length));
    const files = (async function* () {
      for await (const found of store.objects(globPrefix(key))) {
        const full = textAt(found, 'name');
        if (!full.endsWith('/') && means(full.slice(base.length))) yield store.remote(found, base);
      }
    })();
    return succeed({ type: 'set', files, http: store.http, facts: {} });
  },
};

interface Store {
  readonly http: Http;
  /** Undefined where there is no such object. */
  object(key: string): Promise<JsonRecord | undefined>;
  objects(prefix: string): AsyncGenerator<JsonRecord>;
  media(key: string, generation: string): URL;
  remote(object: JsonRecord, base: string): RemoteFile;
}

async function openStore(bucket: string, effects: ConnectorEffects): Promise<Store> {
  const environment = effects.environment ?? process.env;
  const emulator = environment.STORAGE_EMULATOR_HOST;
  const host =
    emulator === undefined
      ? 'https://storage.googleapis.com'
      : emulator.includes('://')
        ? emulator
        : `http://${emulator}`;
  const start = `${host.replace(/\/$/, '')}/storage/v1/b/${encodeURIComponent(bucket)}/o`;
  const token = emulator === undefined ? await googleToken(environment) : undefined;
  const send = effects.http ?? requestHttp;
  const http: Http = ({ url, headers, idleMs }) =>
    send({
      url,
      // With `identity` the store would unpack what is kept packed, and size and checksums would be those of other bytes.
      headers: {
        'accept-encoding': 'gzip',
        ...headers,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      idleMs,
    });
  const json = (url: URL, missing?: JsonRecord): Promise<JsonRecord> =>
    asked(
      async () => {
        const { status, body } = await http({ url, headers: { 'accept-encoding': 'identity' }, idleMs: IDLE_MS });
        if (status !== 200) {
          body.destroy();
          if (status === 404 && missing !== undefined) return missing;
          throw new StatusError(status);
        }
        const blocks: Buffer[] = [];
        for await (const block of body) blocks.push(Buffer.from(block));
        const answer: unknown = JSON.parse(Buffer.concat(blocks).toString('utf8'));
        return isRecord(answer) ? answer : {};
      },
      statusIn,
      effects,
    );
  const media = (key: string, generation: string): URL => {
    const url = new URL(`${start}/${encodeURIComponent(key)}?alt=media`);
    if (generation !== '') url.searchParams.set('generation', generation);
    return url;
  };

  return {
    http,
    media,
    async object(key) {
      const found = await json(new URL(`${start}/${encodeURIComponent(key)}?fields=${FIELDS}`), {});
      return textAt(found, 'name') === key ? found : undefined;
    },
    async *objects(prefix) {
      let after: string | undefined;
      do {
        const page = await json(pageOf(start, prefix, after));
        yield* records(page.items);
        after = textAt(page, 'nextPageToken') || undefined;
      } while (after !== undefined);
    },
    remote(found, base) {
      const key = textAt(found, 'name');
      const generation = textAt(found, 'generation');
      const given = [
        ['md5', textAt(found, 'md5Hash')],
        ['crc32c', textAt(found, 'crc32c')],
      ] as const;
      return {
        name: key.slice(base.length),
        url: objectUrl('gs', bucket, key),
        ask: media(key, generation),
        ...(textAt(found, 'size') === '' ? {} : { sizeBytes: Number(textAt(found, 'size')) }),
        version: generation,
        checksums: given.flatMap(([name, base64]) =>
          base64 === '' ? [] : [`${name}:${Buffer.from(base64, 'base64').toString('hex')}`],
        ),
      };
    },
  };
}

function pageOf(start: string, prefix: string, after: string | undefined): URL {
  const url = new URL(start);
  url.searchParams.set('prefix', prefix);
  url.searchParams.set('fields', `nextPageToken,items(${FIELDS})`);
  if (after !== undefined) url.searchParams.set('pageToken', after);
  return url;
}
