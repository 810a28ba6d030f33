import { fail } from '../../domain/diagnostic.js';
import { isRecord, type JsonRecord, records, textAt } from '../../domain/json.js';
import { addressProblem, chooseFiles, decoded, newerVersion } from '../choose-files.js';
import { withText } from '../source-state.js';
import { baseOf, notThere, openWebApi, type WebApi } from '../web-api.js';
import type { PlaceFacts, RemoteConnector, RemoteFile } from './connector.js';

/** A record by its number, or by its DOI, and what of its files. */
const ADDRESS = /^zenodo:(10\.\d{4,9}\/zenodo\.)?(\d+)(?:\/(.*))?$/is;

/**
 * Files of a Zenodo record: all, one, or those of a pattern. An id of all versions together (a concept) stands for the
 * version that was taken the last time, or for the newest where none was.
 *
 * @source the REST API of Zenodo: GET /api/records/{id}
 */
export const zenodo: RemoteConnector = {
  name: 'zenodo',
  schemes: ['zenodo'],
  web: {
    addressOf({ protocol, hostname, pathname }) {
      const isDoi = protocol === 'doi:' || /^(?:dx\.|www\.)?doi\.org$/.test(hostname);
      const [, doi] = /^\/?(?:doi\/)?(10\.5281\/zenodo\.\d+)\/?$/i.exec(decoded(pathname)) ?? [];
      const isHere = /^(?:www\.)?zenodo\.org$/.test(hostname);
      if (doi !== undefined) return isDoi || isHere ? `zenodo:${doi.toLowerCase()}` : undefined;
      const form = /^\/(?:api\/)?records?\/(\d+)(?:\/(?:files|preview)\/(.+?)(?:\/content)?)?\/?$/;
      const [, id, file] = isHere ? (form.exec(pathname) ?? []) : [];
      if (id === undefined) return undefined;
      return file === undefined ? `zenodo:${id}` : `zenodo:${id}/${decoded(file)}`;
    },
    pageOf(address) {
      const [, doi, id] = ADDRESS.exec(address) ?? [];
      if (id === undefined) return undefined;
      return doi === undefined ? `https://zenodo.org/records/${id}` : `https://doi.org/${doi}${id}`;
    },
  },
  // Files of a version that is published stay; what stands for all versions moves on.
  isFixed: (address, resolved) => ADDRESS.test(address) && resolved === undefined,
  async list(source, effects) {
    const [, , id = '', part = ''] = ADDRESS.exec(source.uri) ?? [];
    if (id === '') {
      const hint = 'zenodo:1234567, zenodo:10.5281/zenodo.1234567, either with /file.csv or /*.csv';
      return fail(addressProblem(source, 'this is no address of a record', hint));
    }
    const base = baseOf('SCILAKE_ZENODO_URL', 'https://zenodo.org', effects);
    const token = (effects.environment ?? process.env).ZENODO_TOKEN ?? '';
    const api = openWebApi(
      base,
      {
        headers: token === '' ? {} : { authorization: `Bearer ${token}` },
        hint: 'it wants a token, or another one: set ZENODO_TOKEN',
      },
      effects,
    );
    const newest = await newestOf(id, base, api);
    const isMoving = idOf(newest) !== id;
    let taken = newest;
    const last = isMoving ? (effects.pinned() ?? '') : '';
    const pinned = /zenodo[.:](\d+)$/i.exec(last)?.[1];
    if (pinned !== undefined && pinned !== idOf(newest)) {
      const found = await api.record(new URL(`api/records/${pinned}`, base));
      if (found === undefined) {
        const hint = `scilake ingest ${source.name} --newest takes ${resolvedOf(newest)} in its place`;
        return fail(addressProblem(source, `${last} was taken, and is there no longer`, hint));
      }
      // A pin of another record says nothing here.
      if (textAt(found, 'conceptrecid') === textAt(newest, 'conceptrecid')) taken = found;
    }
    const warnings = taken === newest ? [] : [newerVersion(source, resolvedOf(taken), resolvedOf(newest))];
    const files = records(taken.files).map((file) => remoteFile(file, idOf(taken), base));
    const access = textAt(metadataOf(taken), 'access_right');
    if (files.length === 0 && access !== '' && access !== 'open') {
      const hint = 'set ZENODO_TOKEN to that of somebody who may read them';
      return fail(addressProblem(source, `the files of ${resolvedOf(taken)} are not open (${access})`, hint));
    }
    const place = {
      http: api.http,
      facts: factsOf(taken),
      ...(isMoving ? { resolved: resolvedOf(taken) } : {}),
    };
    return chooseFiles(source, part, { files, place }, warnings);
  },
};

/** The record of an id; of a concept its newest version, to which Zenodo sends us on, or else which a search finds. */
async function newestOf(id: string, base: URL, api: WebApi): Promise<JsonRecord> {
  const record = await api.record(new URL(`api/records/${id}`, base));
  if (record !== undefined) return record;
  const found = await api.record(new URL(`api/records?q=conceptrecid:${id}&sort=mostrecent&size=1`, base));
  const hits = found !== undefined && isRecord(found.hits) ? records(found.hits.hits) : [];
  const [first] = hits.filter((hit) => textAt(hit, 'conceptrecid') === id);
  if (first === undefined) throw notThere();
  return first;
}

function remoteFile(file: JsonRecord, id: string, base: URL): RemoteFile {
  const name = textAt(file, 'key');
  const checksum = textAt(file, 'checksum').toLowerCase();
  const link = isRecord(file.links) ? textAt(file.links, 'self') : '';
  const encoded = encodeURIComponent(name);
  return {
    name,
    url: new URL(`records/${id}/files/${encoded}`, base),
    ask: new URL(URL.canParse(link) ? link : `api/records/${id}/files/${encoded}/content`, base),
    ...(typeof file.size === 'number' ? { sizeBytes: file.size } : {}),
    version: checksum,
    checksums: checksum === '' ? [] : [checksum],
  };
}

function idOf(record: JsonRecord): string {
  return typeof record.id === 'number' ? String(record.id) : textAt(record, 'id');
}

/** The version's own DOI, where its record can be found by it. */
function resolvedOf(record: JsonRecord): string {
  const doi = textAt(record, 'doi');
  return doi.toLowerCase().endsWith(`/zenodo.${idOf(record)}`) ? doi : `zenodo:${idOf(record)}`;
}

function metadataOf(record: JsonRecord): JsonRecord {
  return isRecord(record.metadata) ? record.metadata : {};
}

function factsOf(record: JsonRecord): PlaceFacts {
  const metadata = metadataOf(record);
  const { license } = metadata;
  return {
    ...withText('doi', textAt(record, 'doi')),
    ...withText('conceptDoi', textAt(record, 'conceptdoi')),
    ...withText('license', isRecord(license) ? textAt(license, 'id') : ''),
    ...withText('title', textAt(metadata, 'title')),
    ...withText('citation', citationOf(metadata, textAt(record, 'doi'))),
  };
}

/** Creators (year). Title (version). Publisher. DOI, as DataCite recommends it. */
function citationOf(metadata: JsonRecord, doi: string): string {
  const creators = records(metadata.creators).map((creator) => textAt(creator, 'name'));
  const title = textAt(metadata, 'title');
  if (creators.length === 0 || title === '') return '';
  const year = textAt(metadata, 'publication_date').slice(0, 4);
  const version = textAt(metadata, 'version');
  return [
    `${creators.join('; ')}${year === '' ? '' : ` (${year})`}`,
    `${title}${version === '' ? '' : ` (${version})`}`,
    textAt(metadata, 'publisher') || 'Zenodo',
    ...(doi === '' ? [] : [`https://doi.org/${doi}`]),
  ].join('. ');
}
