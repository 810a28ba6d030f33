import { fail } from '../../domain/diagnostic.js';
import { isRecord, type JsonRecord, records, textAt } from '../../domain/json.js';
import { addressProblem, chooseFiles, newerVersion } from '../choose-files.js';
import { withText } from '../source-state.js';
import { baseOf, notThere, openWebApi, type WebApi } from '../web-api.js';
import type { ListEffects, PlaceFacts, RemoteConnector, RemoteFile } from './connector.js';

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const ADDRESS = new RegExp(`^cellxgene:(${UUID})(?:/(${UUID})(?:\\.(h5ad|rds))?)?/?$`, 'i');
const PAGES = 'cellxgene.cziscience.com';
const COLLECTION_PAGE = new RegExp(`^/collections/(${UUID})(?:/|$)`, 'i');
const ASSET = new RegExp(`^https://datasets\\.cellxgene\\.cziscience\\.com/${UUID}\\.(?:h5ad|rds)$`, 'i');

/** What is published in Discover is under this license; the interface does not say it. */
const LICENSE = 'CC-BY-4.0';

/**
 * Datasets of CELLxGENE Discover: one as h5ad or RDS, or the h5ad files of a collection. Both are revised; the version
 * that was taken the last time stays until another is asked for.
 *
 * @source the Discover API: GET /curation/v1/collections/{id}, /collection_versions/{id}, /dataset_versions/{id}
 */
export const cellxgene: RemoteConnector = {
  name: 'cellxgene',
  schemes: ['cellxgene'],
  web: {
    addressOf({ hostname, pathname }) {
      const [, id] = hostname === PAGES ? (COLLECTION_PAGE.exec(pathname) ?? []) : [];
      return id === undefined ? undefined : `cellxgene:${id.toLowerCase()}`;
    },
    pageOf(address) {
      const [, id] = ADDRESS.exec(address) ?? [];
      return id === undefined ? undefined : `https://${PAGES}/collections/${id.toLowerCase()}`;
    },
  },
  // A file by its own address is called by its version; collections and datasets move on.
  isFixed: (address) => ASSET.test(address),
  async list(source, effects) {
    const [, collectionId = '', datasetId = '', type = 'h5ad'] = ADDRESS.exec(source.uri.toLowerCase()) ?? [];
    if (collectionId === '') {
      const hint = 'cellxgene:COLLECTION_ID, cellxgene:COLLECTION_ID/DATASET_ID or the same with .rds';
      return fail(addressProblem(source, 'this is no address of a collection', hint));
    }
    const archive = openArchive(effects);
    const collection = await archive.get('collections', collectionId);
    if (collection === undefined) throw notThere();
    const isOne = datasetId !== '';
    const dataset = records(collection.datasets).find((one) => textAt(one, 'dataset_id') === datasetId);
    const newest = isOne ? dataset : collection;
    if (newest === undefined) {
      const hint = 'a dataset that was taken back is listed no more: look at the collection in a browser';
      return fail(addressProblem(source, `the collection has no dataset ${datasetId}`, hint));
    }
    const [idKey, versionKey, versions] = isOne
      ? (['dataset_id', 'dataset_version_id', 'dataset_versions'] as const)
      : (['collection_id', 'collection_version_id', 'collection_versions'] as const);
    const pinned = effects.pinned() ?? '';
    let taken = newest;
    if (pinned !== '' && pinned !== textAt(newest, versionKey)) {
      const found = await archive.get(versions, pinned);
      if (found === undefined) {
        const hint = `scilake ingest ${source.name} --newest takes ${textAt(newest, versionKey)} in its place`;
        return fail(addressProblem(source, `version ${pinned} was taken, and is there no longer`, hint));
      }
      // A pin of another dataset says nothing here.
      if (textAt(found, idKey) === textAt(newest, idKey)) taken = found;
    }
    const warnings = taken === newest ? [] : [newerVersion(source, pinned, textAt(newest, versionKey))];
    const files = (isOne ? [taken] : datasetsOf(taken)).flatMap((one) => remoteFiles(one, type));
    if (files.length === 0) {
      const hint = 'newer versions have no RDS file: leave .rds out, or look at it in a browser';
      return fail(addressProblem(source, `there is no ${type} file in it`, hint));
    }
    const place = {
      http: archive.http,
      facts: factsOf(collection, taken),
      resolved: textAt(taken, versionKey),
    };
    const [only] = files;
    return chooseFiles(source, isOne && only !== undefined ? only.name : '', { files, place }, warnings);
  },
};

interface Archive {
  readonly http: WebApi['http'];
  get(what: 'collections' | 'collection_versions' | 'dataset_versions', id: string): Promise<JsonRecord | undefined>;
}

function openArchive(effects: ListEffects): Archive {
  const base = baseOf('SCILAKE_CELLXGENE_URL', 'https://api.cellxgene.cziscience.com', effects);
  const api = openWebApi(base, { headers: {}, hint: 'it is not public' }, effects);
  return {
    http: api.http,
    get: (what, id) => api.record(new URL(`curation/v1/${what}/${id}`, base)),
  };
}

/** A version of a collection calls them otherwise than the collection does. */
function datasetsOf(collection: JsonRecord): readonly JsonRecord[] {
  return records(collection.datasets ?? collection.dataset_versions);
}

/** The file of one type. Its name is that of the dataset, which stays when there is another version of it. */
function remoteFiles(dataset: JsonRecord, type: string): readonly RemoteFile[] {
  const version = textAt(dataset, 'dataset_version_id');
  return records(dataset.assets).flatMap((asset): readonly RemoteFile[] => {
    const address = textAt(asset, 'url');
    if (textAt(asset, 'filetype').toLowerCase() !== type || !URL.canParse(address)) return [];
    return [
      {
        name: `${textAt(dataset, 'dataset_id')}.${type}`,
        url: new URL(address),
        ...(typeof asset.filesize === 'number' ? { sizeBytes: asset.filesize } : {}),
        version: `${version}.${type}`,
        checksums: [],
      },
    ];
  });
}

function factsOf(collection: JsonRecord, taken: JsonRecord): PlaceFacts {
  return {
    license: LICENSE,
    ...withText('doi', textAt(taken, 'doi') || textAt(collection, 'doi')),
    ...withText('title', textAt(taken, 'title') || textAt(taken, 'name')),
    ...withText('citation', textAt(taken, 'citation') || collectionCitation(taken)),
  };
}

/** Discover cites datasets; of a collection it gives the publication. */
function collectionCitation(collection: JsonRecord): string {
  const { publisher_metadata: publication } = collection;
  const [doi, name] = [textAt(collection, 'doi'), textAt(collection, 'name')];
  if (doi === '' || !isRecord(publication)) return '';
  const authors = records(publication.authors).map(
    (author) => textAt(author, 'name') || [textAt(author, 'family'), textAt(author, 'given')].join(', '),
  );
  const year = typeof publication.published_year === 'number' ? ` (${publication.published_year})` : '';
  const journal = textAt(publication, 'journal');
  return [`${authors.join('; ')}${year}`, name, ...(journal === '' ? [] : [journal]), `https://doi.org/${doi}`].join(
    '. ',
  );
}
