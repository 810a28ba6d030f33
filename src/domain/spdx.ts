import parseSpdx from 'spdx-expression-parse';

/** What people and archives write for licenses of data, by what is left of it without case, blanks and punctuation. */
const spoken: Readonly<Record<string, string>> = {
  cc0: 'CC0-1.0',
  cc010: 'CC0-1.0',
  cc0publicdomain: 'CC0-1.0',
  publicdomain: 'CC0-1.0',
  ccby: 'CC-BY-4.0',
  ccby40: 'CC-BY-4.0',
  ccby30: 'CC-BY-3.0',
  ccbysa: 'CC-BY-SA-4.0',
  ccbysa40: 'CC-BY-SA-4.0',
  ccbysa30: 'CC-BY-SA-3.0',
  ccbync: 'CC-BY-NC-4.0',
  ccbync40: 'CC-BY-NC-4.0',
  ccbynd40: 'CC-BY-ND-4.0',
  ccbyncsa40: 'CC-BY-NC-SA-4.0',
  ccbyncnd40: 'CC-BY-NC-ND-4.0',
  mit: 'MIT',
  apache2: 'Apache-2.0',
  apache20: 'Apache-2.0',
  bsd2clause: 'BSD-2-Clause',
  bsd3clause: 'BSD-3-Clause',
  odcby: 'ODC-By-1.0',
  odcby10: 'ODC-By-1.0',
  odbl: 'ODbL-1.0',
  odbl10: 'ODbL-1.0',
  pddl: 'PDDL-1.0',
  gpl3: 'GPL-3.0-only',
  gpl30: 'GPL-3.0-only',
};

/** A license as an SPDX expression; undefined where the text is none that is known. */
export function spdxOf(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  if (isExpression(trimmed)) return trimmed;
  const address = /creativecommons\.org\/(?:licenses\/([a-z-]+)|publicdomain\/(zero))\/(\d\.\d)/i.exec(trimmed);
  if (address !== null) {
    const [, kind, , version] = address;
    const id = kind === undefined ? `CC0-${version}` : `CC-${kind.toUpperCase()}-${version}`;
    return isExpression(id) ? id : undefined;
  }
  const known = spoken[trimmed.toLowerCase().replace(/licen[sc]e|version|[^a-z0-9]/g, '')];
  // "Attribution 4.0 International (CC BY 4.0)" names itself twice.
  const inside = /\(([^()]+)\)$/.exec(trimmed)?.[1];
  return known ?? (inside === undefined ? undefined : spdxOf(inside));
}

function isExpression(text: string): boolean {
  try {
    parseSpdx(text);
    return true;
  } catch {
    return false;
  }
}
