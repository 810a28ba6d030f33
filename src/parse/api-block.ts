import type { Auth } from '../domain/api/auth.js';
import { auths } from '../domain/api/auths/index.js';
import type { CursorValue } from '../domain/api/cursor-value.js';
import { cursorBefore } from '../domain/api/cursor-value.js';
import type { ApiDeclaration, Incremental } from '../domain/api/declaration.js';
import { readPath } from '../domain/api/json-path.js';
import { END, type Paginator } from '../domain/api/paginator.js';
import { paginators } from '../domain/api/paginators/index.js';
import { variableOf } from '../domain/api/secret.js';
import type { Diagnostic } from '../domain/diagnostic.js';
import { asText, canonicalText, type Fragment, insideParentheses, listItems, spanOf } from '../domain/fragment.js';
import { locate } from '../domain/location.js';
import type { Source } from '../domain/model.js';
import { didYouMean } from '../domain/near-miss.js';
import { PropertyReader } from '../domain/property-reader.js';

/** Headers and parameters that carry credentials by their names: what is written down here is kept and shown. */
const secretName =
  /^(?:authorization|proxy-authorization|cookie|(?:.*[_-])?(?:api[_-]?key|access[_-]?key|access[_-]?token|auth[_-]?token|secret|password|passwd|token))$/i;
/** Marks of pages are called so too. */
const pageMark = /(?:page|next|continuation|sync)[_-]?token$/i;

/** `api (records …, params (…), headers (…), paginator (…), auth (…), incremental (…), max_pages …)`; undefined where there is none. */
export function readApi(properties: PropertyReader): ApiDeclaration | undefined {
  const value = properties.fragment('api');
  if (value === undefined) return undefined;
  const own = within(properties, value, 'api');
  const records = readPath(own, 'records');
  const params = readTexts(own, 'params');
  const headers = readTexts(own, 'headers').map(([name, text]): [string, string] => [name.toLowerCase(), text]);
  const paginator = readByType<Paginator>(own, 'paginator', paginators, 'auto') ?? { first: {}, next: () => END };
  const auth = readByType<Auth>(own, 'auth', auths);
  const incremental = readIncremental(own);
  const maxPages = own.count('max_pages', 1);
  const authFragment = own.fragment('auth');
  own.finish();
  properties.adopt(own.diagnostics);
  return {
    location: locate(properties.file, spanOf(value)),
    ...(records === undefined ? {} : { records }),
    params,
    headers: Object.fromEntries(headers),
    paginator,
    ...(auth === undefined ? {} : { auth }),
    authLocation: locate(properties.file, spanOf(authFragment ?? value)),
    ...(incremental === undefined ? {} : { incremental }),
    ...(maxPages === undefined ? {} : { maxPages }),
    key: keyOf(own),
  };
}

/** An address may carry credentials in its query, too. */
export function secretInAddress({ name, uri, uriLocation, api }: Source): readonly Diagnostic[] {
  if (!/^https?:/i.test(uri) || !URL.canParse(uri)) return [];
  const found = [...new URL(uri).searchParams.keys()].find((key) => isSecret(key) || signature.test(key));
  if (found === undefined) return [];
  return [
    {
      code: 'SL0105',
      severity: 'error',
      message: `the address of source "${name}" holds a secret in its parameter ${found}`,
      location: { ...uriLocation, text: uriLocation.text.replace(/\?[^'"\s]*/, '?***') },
      hint:
        api === undefined
          ? 'leave it out: addresses are kept and shown; download a file that needs it, and give its path'
          : `auth (type api_key, location query, name '${found}', key '@env(MY_KEY)')`,
    },
  ];
}

/** Parameters of addresses that are signed, so that whoever has the address has the file. */
const signature =
  /^(?:x-(?:amz|goog)-(?:signature|credential|security-token)|signature|sig|awsaccesskeyid|googleaccessid)$/i;

function isSecret(name: string): boolean {
  return secretName.test(name) && !pageMark.test(name);
}

/** A reader of what stands in the parentheses of a property. */
function within(properties: PropertyReader, value: Fragment, owner: string): PropertyReader {
  return new PropertyReader({
    outer: properties,
    file: properties.file,
    owner,
    ownerSpan: spanOf(value),
    properties: insideParentheses(value) === undefined ? [] : listItems(value),
  });
}

/** Named texts; one that by its name is a secret has no place there. */
function readTexts(properties: PropertyReader, name: 'params' | 'headers'): readonly (readonly [string, string])[] {
  return properties.pairs(name).flatMap((pair) => {
    if (isSecret(pair.name) || variableOf(pair.value) !== undefined) {
      const hint =
        "auth (type bearer, token '@env(MY_TOKEN)'), or auth (type api_key, name 'x-key', key '@env(MY_KEY)')";
      if (variableOf(pair.value) === undefined) properties.hide(asText(pair.value));
      properties.report('SL0105', pair.nameSpan, `"${pair.name}" is a secret: credentials are given by "auth"`, hint);
      return [];
    }
    return [[pair.name, asText(pair.value)]];
  });
}

/** `name (type …, …)`, or the type alone; what the type knows of, it reads itself. */
function readByType<T>(
  properties: PropertyReader,
  name: 'paginator' | 'auth',
  known: readonly { readonly name: string; read(own: PropertyReader): T }[],
  fallback?: string,
): T | undefined {
  const value = properties.fragment(name);
  if (value === undefined && fallback === undefined) return undefined;
  const isBlock = value !== undefined && insideParentheses(value) !== undefined;
  const block = new PropertyReader({
    outer: properties,
    file: properties.file,
    owner: name,
    ownerSpan: value === undefined ? properties.ownerSpan : spanOf(value),
    properties: isBlock ? listItems(value) : [],
  });
  const written = isBlock ? block.fragment('type') : value;
  const names = known.map((kind) => kind.name);
  const wanted = written === undefined ? fallback : asText(written).toLowerCase();
  if (wanted === undefined) {
    properties.report('SL0104', block.ownerSpan, `${name} needs "type"`, `it is one of ${names.join(', ')}`);
    return undefined;
  }
  const kind = known.find((candidate) => candidate.name === wanted);
  if (kind === undefined) {
    const hint = didYouMean(wanted, names) ?? `known are ${names.join(', ')}`;
    const span = written === undefined ? block.ownerSpan : spanOf(written);
    properties.report('SL0105', span, `there is no ${name} ${wanted}`, hint);
    return undefined;
  }
  const own = new PropertyReader({
    outer: properties,
    file: properties.file,
    owner: `${name} ${kind.name}`,
    ownerSpan: block.ownerSpan,
    properties: isBlock ? listItems(value) : [],
  });
  own.fragment('type');
  const read = kind.read(own);
  own.finish();
  properties.adopt(own.diagnostics);
  return read;
}

/** `incremental (cursor 'updated_at', param 'since', initial '2024-01-01', lag '1 day', on_missing raise)` */
function readIncremental(properties: PropertyReader): Incremental | undefined {
  const value = properties.fragment('incremental');
  if (value === undefined) return undefined;
  const own = within(properties, value, 'incremental');
  own.required('cursor', "name the value that grows: cursor 'updated_at'");
  const cursor = readPath(own, 'cursor') ?? [];
  const param = own.text('param');
  const written = own.fragment('initial');
  const initial: CursorValue | undefined =
    written === undefined
      ? undefined
      : {
          type: written.tokens.every((token) => token.type !== 'string') && isNumber(written) ? 'number' : 'text',
          text: asText(written),
        };
  const lagFragment = own.fragment('lag');
  const lag = lagFragment === undefined ? undefined : asText(lagFragment);
  const samples: readonly CursorValue[] = [
    initial ?? { type: 'number', text: '0' },
    { type: 'text', text: '2024-01-01' },
  ];
  const fits =
    lag !== undefined &&
    (initial === undefined ? samples : samples.slice(0, 1)).some((sample) => cursorBefore(sample, lag));
  if (lagFragment !== undefined && !fits)
    own.report(
      'SL0105',
      spanOf(lagFragment),
      `"lag" is a time span before a date, or a number before a number, not ${asText(lagFragment)}`,
      "write lag '1 day', or lag 100 where the cursor is a number",
    );
  const onMissing = own.oneOf('on_missing', ['raise', 'include', 'exclude'], 'raise');
  own.finish();
  properties.adopt(own.diagnostics);
  return {
    cursor,
    ...(param === undefined ? {} : { param }),
    ...(initial === undefined ? {} : { initial }),
    ...(lag === undefined ? {} : { lag }),
    onMissing,
    location: locate(properties.file, spanOf(value)),
  };
}

function isNumber(value: Fragment): boolean {
  return /^-?\d+(?:\.\d+)?$/.test(asText(value).replaceAll(' ', ''));
}

/** What decides which records come, in an order of its own. */
function keyOf(properties: PropertyReader): string {
  const texts = ['records', 'params', 'headers', 'paginator'].map((name) => textOf(properties.fragment(name)));
  const incremental = properties.fragment('incremental');
  const own = incremental === undefined ? [] : listItems(incremental).map(canonicalText);
  return [...texts, ...own.filter((text) => !text.startsWith('lag ')).sort()].join('\n');
}

function textOf(fragment: Fragment | undefined): string {
  return fragment === undefined ? '' : canonicalText(fragment);
}
