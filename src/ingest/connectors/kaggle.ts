import * as os from 'node:os';
import * as path from 'node:path';
import { fail } from '../../domain/diagnostic.js';
import { isRecord, type JsonRecord, records, textAt } from '../../domain/json.js';
import type { Http } from '../../effects/http.js';
import { addressProblem, chooseFiles, newerVersion } from '../choose-files.js';
import { withText } from '../source-state.js';
import { type Asker, baseOf, notThere, openWebApi, type WebApi } from '../web-api.js';
import { unpacked } from '../zipped-file.js';
import type { ListEffects, RemoteConnector, RemoteFile } from './connector.js';

const PAGE = 200;
const PLACES = 'KAGGLE_API_TOKEN, KAGGLE_USERNAME and KAGGLE_KEY, ~/.kaggle/access_token or ~/.kaggle/kaggle.json';

const ADDRESS = /^kaggle:([\w-]+)\/([\w-]+)(?:@(\d+))?(?:\/(.*))?$/s;

/**
 * Files of a Kaggle dataset: all, one, or those of a pattern. Without a version it is the one that was taken the last
 * time, or the newest where none was.
 *
 * @source Kaggle's API, v1: datasets/view, datasets/list, datasets/download, as its own client asks them
 */
export const kaggle: RemoteConnector = {
  name: 'kaggle',
  schemes: ['kaggle'],
  web: {
    addressOf({ hostname, pathname, searchParams }) {
      const form = /^\/datasets\/([\w-]+)\/([\w-]+)(?:\/versions\/(\d+))?(?:\/|$)/;
      const [, owner, slug, version = searchParams.get('datasetVersionNumber') ?? ''] = /^(?:www\.)?kaggle\.com$/.test(
        hostname,
      )
        ? (form.exec(pathname) ?? [])
        : [];
      if (owner === undefined || slug === undefined) return undefined;
      const named = `kaggle:${owner}/${slug}${/^\d+$/.test(version) ? `@${version}` : ''}`;
      const file = searchParams.get('select') ?? '';
      return file === '' ? named : `${named}/${file}`;
    },
    pageOf(address) {
      const [, owner, slug] = ADDRESS.exec(address) ?? [];
      return owner === undefined ? undefined : `https://www.kaggle.com/datasets/${owner}/${slug}`;
    },
  },
  isFixed: (address, resolved) => ADDRESS.test(address) && resolved === undefined,
  async list(source, effects) {
    const [, owner = '', slug = '', asked, part = ''] = ADDRESS.exec(source.uri) ?? [];
    if (slug === '') {
      const hint = 'kaggle:owner/name or kaggle:owner/name@3, either with /file.csv or /*.csv';
      return fail(addressProblem(source, 'this is no address of a dataset', hint));
    }
    const base = new URL('api/v1/', baseOf('SCILAKE_KAGGLE_URL', 'https://www.kaggle.com', effects));
    const api = openWebApi(base, askerOf(effects), effects);
    const dataset = `${owner}/${slug}`;
    const about = await api.record(new URL(`datasets/view/${dataset}`, base));
    if (about === undefined) throw notThere();
    const newest = String(about.currentVersionNumber ?? '');
    const isMoving = asked === undefined;
    const last = isMoving ? (effects.pinned() ?? '') : '';
    const pinned = last.startsWith(`${dataset}@`) ? last.slice(dataset.length + 1) : undefined;
    const version = asked ?? pinned ?? newest;
    if (!/^\d+$/.test(version)) {
      return fail(addressProblem(source, 'nothing says which version there is', `write kaggle:${dataset}@1`));
    }
    const warnings =
      isMoving && /^\d+$/.test(newest) && version !== newest
        ? [newerVersion(source, `${dataset}@${version}`, `${dataset}@${newest}`)]
        : [];
    const files: RemoteFile[] = [];
    for await (const file of listed(dataset, version, { base, api }))
      files.push(remoteFile(file, dataset, version, base));
    const place = {
      http: withHashes(api.http),
      facts: { ...withText('license', licenseOf(about)), ...withText('title', textAt(about, 'title')) },
      ...(isMoving ? { resolved: `${dataset}@${version}` } : {}),
    };
    return chooseFiles(source, part, { files, place }, warnings);
  },
};

async function* listed(
  dataset: string,
  version: string,
  { base, api }: { readonly base: URL; readonly api: WebApi },
): AsyncGenerator<JsonRecord> {
  let after = '';
  do {
    const url = new URL(`datasets/list/${dataset}?datasetVersionNumber=${version}&pageSize=${PAGE}`, base);
    if (after !== '') url.searchParams.set('pageToken', after);
    const page = await api.record(url);
    if (page === undefined) throw notThere();
    yield* records(page.datasetFiles);
    after = textAt(page, 'nextPageToken');
  } while (after !== '');
}

/** The size that Kaggle gives may be that of the packed file, so it is not held against what arrives. */
function remoteFile(file: JsonRecord, dataset: string, version: string, base: URL): RemoteFile {
  const name = textAt(file, 'name');
  const encoded = name.split('/').map(encodeURIComponent).join('/');
  return {
    name,
    url: new URL(`datasets/download/${dataset}/${encoded}?datasetVersionNumber=${version}`, base),
    version,
    checksums: [],
  };
}

function licenseOf(about: JsonRecord): string {
  const name = textAt(about, 'licenseName');
  return /^(?:unknown|other\b.*|)$/i.test(name) ? '' : name;
}

/** The store that Kaggle sends us on to says what the whole file's checksums are; it may keep the file packed. */
function withHashes(http: Http): Http {
  return async (request) => {
    const response = await http(request);
    const checksums = [...(response.headers['x-goog-hash'] ?? '').matchAll(/\b(md5|crc32c)=([a-z0-9+/=]+)/gi)].map(
      ([, name = '', base64 = '']) => `${name.toLowerCase()}:${Buffer.from(base64, 'base64').toString('hex')}`,
    );
    const isPacked = /\.zip$/i.test(response.url.pathname) && !/\.zip$/i.test(request.url.pathname);
    return isPacked && response.status === 200 ? unpacked({ ...response, checksums }) : { ...response, checksums };
  };
}

/** @source Kaggle's own client: a token, or a name and a key, by variables or from a file */
function askerOf(effects: ListEffects): Asker {
  const environment = effects.environment ?? process.env;
  const { KAGGLE_API_TOKEN: token = '', KAGGLE_USERNAME: user = '', KAGGLE_KEY: key = '' } = environment;
  const headersOf = (name: string, secret: string) => ({
    authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`,
  });
  const others = `it wants other credentials than those of ${PLACES}; some datasets ask for an agreement in a browser`;
  if (token !== '') return { headers: { authorization: `Bearer ${token}` }, hint: others };
  if (user !== '' && key !== '') return { headers: headersOf(user, key), hint: others };
  const folder = environment.KAGGLE_CONFIG_DIR ?? path.join(environment.HOME ?? os.homedir(), '.kaggle');
  const own = readText(path.join(folder, 'access_token'), effects).trim();
  if (own !== '') return { headers: { authorization: `Bearer ${own}` }, hint: others };
  const kept = readJson(path.join(folder, 'kaggle.json'), effects);
  const [name, secret] = [textAt(kept, 'username'), textAt(kept, 'key')];
  if (name !== '' && secret !== '') return { headers: headersOf(name, secret), hint: others };
  return { headers: {}, hint: `it wants credentials, and there are none: ${PLACES}` };
}

function readJson(file: string, effects: ListEffects): JsonRecord {
  try {
    const kept: unknown = JSON.parse(readText(file, effects));
    return isRecord(kept) ? kept : {};
  } catch {
    // Not there, or not what Kaggle writes.
    return {};
  }
}

/** Empty where there is no such file, or it is not for us to read. */
function readText(file: string, { files }: ListEffects): string {
  try {
    return files.facts(file)?.isDirectory === false ? files.readText(file) : '';
  } catch {
    return '';
  }
}
