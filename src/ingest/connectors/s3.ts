import { fail, succeed } from '../../domain/diagnostic.js';
import { objectUrl, openS3, type S3, type S3Object, statusOf } from '../../effects/s3.js';
import { asked } from '../asked.js';
import { globBase, globMatcher, globPrefix, isGlob } from '../glob.js';
import { type ConnectorEffects, type RemoteConnector, type RemoteFile, single } from './connector.js';

/**
 * Objects of S3 and of stores that speak like it: a key, a pattern of keys, or everything below a prefix that ends with
 * a slash. A key that is the pattern, letter by letter, goes before what the pattern would mean.
 */
export const s3: RemoteConnector = {
  name: 's3',
  schemes: ['s3'],
  async list(source, effects) {
    const [, bucket = '', key = ''] = /^s3:\/\/([^/]*)\/?(.*)$/is.exec(source.uri) ?? [];
    if (!/^[a-z0-9][a-z0-9._-]{1,62}$/i.test(bucket) || (key === '' && !source.uri.endsWith('/'))) {
      return fail({
        code: 'SL0506',
        severity: 'error',
        message: `source "${source.name}": this is no address of an object`,
        location: source.uriLocation,
        hint: 's3://bucket/key, s3://bucket/folder/*.csv or s3://bucket/folder/',
      });
    }
    const store = await openS3(effects.environment ?? process.env);
    const isFolder = key === '' || key.endsWith('/');
    const object = isFolder ? undefined : await asked(() => store.head(bucket, key), statusOf, effects);
    const remote = (found: S3Object, base: string): RemoteFile => ({
      name: found.key.slice(base.length),
      url: objectUrl('s3', bucket, found.key),
      sizeBytes: found.sizeBytes,
      version: found.versionId === '' ? found.etag : found.versionId,
      checksums: [],
    });
    if (object !== undefined || (!isFolder && !isGlob(key))) {
      const name = key.split('/').at(-1) ?? key;
      const file =
        object === undefined
          ? { name, url: objectUrl('s3', bucket, key), version: '', checksums: [] }
          : { ...remote(object, ''), name };
      return succeed(single(file, store.http));
    }
    const base = globBase(key);
    const means = globMatcher(isFolder ? '**' : key.slice(base.length));
    const files = (async function* () {
      for await (const found of objects(store, { bucket, prefix: globPrefix(key) }, effects))
        if (!found.key.endsWith('/') && means(found.key.slice(base.length))) yield remote(found, base);
    })();
    return succeed({ type: 'set', files, http: store.http, facts: {} });
  },
};

async function* objects(
  store: S3,
  { bucket, prefix }: { readonly bucket: string; readonly prefix: string },
  effects: ConnectorEffects,
): AsyncGenerator<S3Object> {
  let after: string | undefined;
  do {
    const from = after;
    const page = await asked(() => store.page(bucket, prefix, from), statusOf, effects);
    yield* page.objects;
    after = page.next;
  } while (after !== undefined);
}
