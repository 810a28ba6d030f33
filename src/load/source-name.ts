const LONGEST = 40;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What an address ends with: the name of one file without its endings, or that of a place with files. */
export interface AddressEnd {
  readonly type: 'file' | 'place';
  readonly name: string;
}

/** What the last part of an address says; a part that is a pattern, or only an id, names no file. */
export function endOf(address: string): AddressEnd {
  const [, scheme = '', rest = ''] = /^(?:([a-z][a-z0-9+.-]+):)?(?:\/\/)?(.*)$/is.exec(address) ?? [];
  const plain = /^https?$/i.test(scheme) ? rest.replace(/[?#].*$/s, '') : rest;
  const parts = plain.split(/[\\/]/).filter((part) => part !== '');
  const pattern = parts.findIndex((part) => /[*?{]/.test(part));
  const last = (pattern < 0 ? parts : parts.slice(0, pattern)).at(-1) ?? scheme;
  const stem = last.replace(/\.(?:gz|bz2|xz|zst)$/i, '').replace(/\.[a-z]\w*$/i, '');
  if (pattern < 0 && !plain.endsWith('/') && stem !== last && !UUID.test(stem)) return { type: 'file', name: stem };
  return { type: 'place', name: /[a-z]/i.test(last) ? last : `${scheme}_${last}` };
}

/** A text as the name of a schema: lower-case letters, digits and underscores of ASCII; empty where it has none of them. */
export function schemaName(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '');
  const short = plain.length > LONGEST ? (/^.{1,40}(?=_)/.exec(plain)?.[0] ?? plain.slice(0, LONGEST)) : plain;
  return /^[0-9]/.test(short) ? `t_${short}` : short;
}
