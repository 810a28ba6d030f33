import { Readable } from 'node:stream';
import type { GetObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import type { Http, HttpResponse } from './http.js';

export interface S3Object {
  readonly key: string;
  readonly sizeBytes: number;
  /** With its quotes. */
  readonly etag: string;
  /** Empty in a bucket that keeps no versions. */
  readonly versionId: string;
}

/** One store of objects, as far as it is read. Errors have the store's HTTP status, where it answered at all. */
export interface S3 {
  /** A page of the objects whose keys begin with a text, in the order of the keys. */
  page(
    bucket: string,
    prefix: string,
    after: string | undefined,
  ): Promise<{ readonly objects: readonly S3Object[]; readonly next: string | undefined }>;
  /** Undefined where there is no such object. */
  head(bucket: string, key: string): Promise<S3Object | undefined>;
  /** Answers `s3://bucket/key` as a web server would, parts and conditions included. */
  readonly http: Http;
}

/** Amazon's variables and profiles say who asks and whom; without credentials it asks as anybody. */
export async function openS3(environment: Readonly<Record<string, string | undefined>>): Promise<S3> {
  // The client warns of the version of Node on every load; ours is said in package.json.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const sdk = await import('@aws-sdk/client-s3');
  const settled = await settings(environment);
  const endpoint = environment.AWS_ENDPOINT_URL_S3 ?? environment.AWS_ENDPOINT_URL;
  const client: S3Client = new sdk.S3Client({
    ...settled,
    // What is asked again, and when, is decided for all places alike.
    maxAttempts: 1,
    followRegionRedirects: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
  });
  // Asked for by the client's own option, it would compare them itself, and what is wrong could not be put aside.
  client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        if (commandName === 'GetObjectCommand' && hasHeaders(args.request))
          args.request.headers['x-amz-checksum-mode'] = 'ENABLED';
        return next(args);
      },
    { step: 'build', name: 'announcedChecksums' },
  );
  const headOf = (Bucket: string, Key: string) =>
    client.send(new sdk.HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));

  return {
    async page(bucket, prefix, after) {
      const listed = await client.send(
        new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: after }),
      );
      const objects = (listed.Contents ?? []).map(({ Key = '', Size = 0, ETag = '' }) => ({
        key: Key,
        sizeBytes: Size,
        etag: ETag,
        versionId: '',
      }));
      return { objects, next: listed.IsTruncated === true ? listed.NextContinuationToken : undefined };
    },

    async head(bucket, key) {
      try {
        const { ContentLength = 0, ETag = '', VersionId = '' } = await headOf(bucket, key);
        return { key, sizeBytes: ContentLength, etag: ETag, versionId: VersionId === 'null' ? '' : VersionId };
      } catch (thrown) {
        if (statusOf(thrown) === 404) return undefined;
        throw thrown;
      }
    },

    async http({ url, headers, idleMs }) {
      const [bucket, key] = [url.hostname, keyOf(url)];
      const answer = (status: number, more: Readonly<Record<string, string>> = {}): HttpResponse => ({
        status,
        headers: more,
        url,
        body: Readable.from([]),
      });
      try {
        // An answer to a part has not got the checksums of the whole file: what goes on where it stopped asks for them first.
        const head = headers.range === undefined ? undefined : await headOf(bucket, key);
        const isPart = head !== undefined && headers['if-range'] === head.ETag;
        const input: GetObjectCommandInput = {
          Bucket: bucket,
          Key: key,
          ...(head?.ETag === undefined ? {} : { IfMatch: head.ETag }),
          ...(head?.VersionId === undefined || head.VersionId === 'null' ? {} : { VersionId: head.VersionId }),
          ...(headers['if-none-match'] === undefined ? {} : { IfNoneMatch: headers['if-none-match'] }),
          ...(isPart ? { Range: headers.range } : {}),
        };
        const got = await client.send(new sdk.GetObjectCommand(input));
        if (!(got.Body instanceof Readable)) throw new Error('the store sends no bytes');
        return {
          status: isPart ? 206 : 200,
          url,
          headers: {
            etag: got.ETag ?? '',
            'content-length': String(got.ContentLength ?? ''),
            ...(got.ContentRange === undefined ? {} : { 'content-range': got.ContentRange }),
          },
          checksums: checksumsOf(head ?? got),
          body: patient(got.Body, idleMs),
        };
      } catch (thrown) {
        const status = statusOf(thrown);
        if (status === undefined) throw thrown;
        // It changed between the two questions: both are asked again.
        return answer(status === 412 ? 503 : status);
      }
    },
  };

  async function settings(variables: typeof environment) {
    const region = variables.AWS_REGION ?? variables.AWS_DEFAULT_REGION;
    const probe = new sdk.S3Client({ region: region ?? 'us-east-1' });
    try {
      const credentials = await probe.config.credentials();
      const own = region ?? (await new sdk.S3Client({}).config.region().catch(() => 'us-east-1'));
      return { region: own, credentials };
    } catch {
      // Nobody in particular: public buckets answer unsigned requests.
      const nobody = { accessKeyId: '', secretAccessKey: '' };
      const signer = { sign: async <T>(request: T) => request };
      return { region: region ?? 'us-east-1', credentials: nobody, signer };
    }
  }
}

function hasHeaders(request: unknown): request is { readonly headers: Record<string, string> } {
  return (
    typeof request === 'object' &&
    request !== null &&
    'headers' in request &&
    typeof request.headers === 'object' &&
    request.headers !== null
  );
}

/** The HTTP status of what the store answered; undefined where it did not answer. */
export function statusOf(thrown: unknown): number | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('$metadata' in thrown)) return undefined;
  const { $metadata: metadata } = thrown;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

/** `s3://bucket/` and the key with every part percent-encoded: a key may hold what an address could not. */
export function objectUrl(scheme: 's3' | 'gs', bucket: string, key: string): URL {
  return new URL(`${scheme}://${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`);
}

function keyOf(url: URL): string {
  return url.pathname.slice(1).split('/').map(decodeURIComponent).join('/');
}

/** Those over the whole object; those of parts put together are of no use to whoever has the object only. */
function checksumsOf(head: {
  readonly ChecksumSHA256?: string | undefined;
  readonly ChecksumCRC32C?: string | undefined;
  readonly ChecksumType?: string | undefined;
}): readonly string[] {
  if (head.ChecksumType === 'COMPOSITE') return [];
  const given = [
    ['sha256', head.ChecksumSHA256],
    ['crc32c', head.ChecksumCRC32C],
  ] as const;
  return given.flatMap(([name, base64]) =>
    // A dash and a count of parts say the same as the type, which older stores leave out.
    base64 === undefined || base64.includes('-') ? [] : [`${name}:${Buffer.from(base64, 'base64').toString('hex')}`],
  );
}

/** The same bytes; an error when nothing arrives for too long. */
function patient(body: Readable, idleMs: number): Readable {
  const stop = (): void => {
    body.destroy(Object.assign(new Error('nothing arrives'), { code: 'ETIMEDOUT' }));
  };
  let timer = setTimeout(stop, idleMs);
  const end = (): void => clearTimeout(timer);
  body.on('close', end).on('end', end).on('error', end);
  const through = async function* (): AsyncGenerator<Buffer> {
    for await (const block of body) {
      clearTimeout(timer);
      timer = setTimeout(stop, idleMs);
      yield Buffer.from(block);
    }
    clearTimeout(timer);
  };
  return Readable.from(through());
}
