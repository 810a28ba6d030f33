import * as os from 'node:os';
import * as path from 'node:path';
import { fail } from '../../domain/diagnostic.js';
import { isRecord, items, textAt } from '../../domain/json.js';
import { addressProblem, chooseFiles, decoded } from '../choose-files.js';
import { globBase, isGlob } from '../glob.js';
import { withText } from '../source-state.js';
import { type Asker, baseOf, notThere, openWebApi, type WebApi } from '../web-api.js';
import type { ListEffects, PlaceFacts, RemoteConnector, RemoteFile } from './connector.js';

const ADDRESS = /^hf:(?:\/\/datasets\/)?([\w.-]+\/[\w.-]+)(?:@([^/]+))?(?:\/(.*))?$/s;

/**
 * Files of a dataset repository on the Hugging Face Hub: all, one, or those of a pattern, as they are in the commit that
 * a branch or tag points to at present. A branch moves on as the file of a web server does: its change is a change.
 *
 * @source the Hub's API: datasets/{id}/revision, datasets/{id}/tree, and /datasets/{id}/resolve
 */
export const hf: RemoteConnector = {
  name: 'hf',
  schemes: ['hf'],
  web: {
    addressOf({ hostname, pathname }) {
      const form = /^\/datasets\/([\w.-]+\/[\w.-]+)(?:\/(resolve|blob|raw|tree)\/([^/]+)(?:\/(.*))?)?(?:\/|$)/;
      const [, id, view, revision = 'main', part = ''] = /^(?:www\.)?(?:huggingface\.co|hf\.co)$/.test(hostname)
        ? (form.exec(pathname) ?? [])
        : [];
      if (id === undefined) return undefined;
      const named = revision === 'main' ? id : `${id}@${revision}`;
      const within = decoded(part).replace(/\/$/, '');
      if (within === '') return `hf://datasets/${named}`;
      return `hf://datasets/${named}/${within}${view === 'tree' ? '/' : ''}`;
    },
    pageOf(address) {
      const [, id] = ADDRESS.exec(address) ?? [];
      return id === undefined ? undefined : `https://huggingface.co/datasets/${id}`;
    },
  },
  // A commit stays; a branch or a tag is answered with the commit that it points to.
  isFixed: (address, resolved) => ADDRESS.test(address) && resolved === undefined,
  async list(source, effects) {
    const [, id = '', named = 'main', part = ''] = ADDRESS.exec(source.uri) ?? [];
    if (id === '') {
      const hint = 'hf://datasets/owner/name/*.parquet or hf:owner/name@v1/file.csv';
      return fail(addressProblem(source, 'this is no address of a dataset repository', hint));
    }
    const revision = named === '~parquet' ? 'refs/convert/parquet' : decoded(named);
    const base = baseOf('HF_ENDPOINT', 'https://huggingface.co', effects);
    const api = openWebApi(base, askerOf(effects), effects);
    const { datasetInfo, listFiles } = await import('@huggingface/hub');
    // The token is not given to the client, which would send it wherever a page of the list points to.
    const asking = { hubUrl: base.href.replace(/\/$/, ''), fetch: fetchBy(api) };
    const about = await datasetInfo({ name: id, revision, additionalFields: ['sha', 'cardData', 'tags'], ...asking });
    const { sha } = about;
    if (typeof sha !== 'string' || sha === '') throw notThere();
    const isMany = isGlob(part) || part === '' || part.endsWith('/');
    const folder = isMany ? globBase(part) : part.slice(0, part.lastIndexOf('/') + 1);
    const files: RemoteFile[] = [];
    const within = encoded(folder.replace(/\/$/, ''));
    const tree = listFiles({
      repo: { type: 'dataset', name: id },
      revision: sha,
      recursive: isMany,
      ...(within === '' ? {} : { path: within }),
      ...asking,
    });
    for await (const { type, path: name, size, oid = '', lfs } of tree) {
      if (type !== 'file') continue;
      files.push({
        name,
        // Known by the branch, asked for in the commit: what has not changed keeps its place.
        url: new URL(`datasets/${id}/resolve/${encodeURIComponent(revision)}/${encoded(name)}`, base),
        ask: new URL(`datasets/${id}/resolve/${sha}/${encoded(name)}`, base),
        sizeBytes: lfs?.size ?? size,
        version: lfs?.oid ?? oid,
        checksums: lfs === undefined ? [] : [`sha256:${lfs.oid}`],
      });
    }
    const place = {
      http: api.http,
      facts: factsOf(about.cardData, about.tags),
      ...(revision === sha ? {} : { resolved: sha }),
    };
    return chooseFiles(source, part, { files, place });
  },
};

/** The web as the Hub's client asks it, by our own way of asking: with waiting, asking again, and the token for one host. */
function fetchBy(api: WebApi): typeof fetch {
  return async (input) => {
    const address = input instanceof Request ? input.url : String(input);
    const answer = await api.text(new URL(address));
    if (answer === undefined) throw notThere();
    return new Response(answer.text, { status: 200, headers: { ...answer.headers } });
  };
}

function encoded(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/');
}

function factsOf(card: unknown, tags: unknown): PlaceFacts {
  const about = isRecord(card) ? card : {};
  const licenses = typeof about.license === 'string' ? [about.license] : items(about.license).map(String);
  const [only = ''] = licenses.length === 1 ? licenses : [];
  const doi = items(tags)
    .map(String)
    .find((tag) => tag.startsWith('doi:'));
  return {
    ...withText('license', /^(?:other|unknown)$/i.test(only) ? textAt(about, 'license_name') : only),
    ...withText('title', textAt(about, 'pretty_name')),
    ...withText('doi', doi?.slice('doi:'.length) ?? ''),
  };
}

/** @source the environment variables of huggingface_hub: HF_TOKEN, HF_TOKEN_PATH, HF_HOME, XDG_CACHE_HOME */
function askerOf({ environment = process.env, files }: ListEffects): Asker {
  const cache = environment.XDG_CACHE_HOME ?? path.join(environment.HOME ?? os.homedir(), '.cache');
  const home = environment.HF_HOME ?? path.join(cache, 'huggingface');
  const file = environment.HF_TOKEN_PATH ?? path.join(home, 'token');
  const written = environment.HF_TOKEN ?? '';
  const token = (written === '' && files.facts(file)?.isDirectory === false ? files.readText(file) : written).trim();
  return token === ''
    ? { headers: {}, hint: 'there is no such dataset, or it wants a token: HF_TOKEN or ~/.cache/huggingface/token' }
    : { headers: { authorization: `Bearer ${token}` }, hint: 'it wants another token, or asks for an agreement' };
}
