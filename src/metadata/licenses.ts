import type { InheritedLicense } from '../domain/provenance.js';
import { spdxOf } from '../domain/spdx.js';

/** The licenses of all sources that a table is made from, each once. */
export function inheritLicenses(
  sources: readonly { readonly source: string; readonly licenseText: string }[],
): readonly InheritedLicense[] {
  const found = new Map<string, InheritedLicense>();
  for (const { source, licenseText } of sources) {
    const license = spdxOf(licenseText) ?? '';
    const key = license === '' ? `? ${licenseText}` : license;
    const before = found.get(key);
    found.set(key, {
      license,
      text: before?.text ?? licenseText,
      sources: [...(before?.sources ?? []), source].sort(),
    });
  }
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, license]) => license);
}

const dedicated: ReadonlySet<string> = new Set(['CC0-1.0', 'PDDL-1.0', 'Unlicense', '0BSD', 'MIT-0']);

/**
 * Why what is made from these licenses cannot be published under that one; empty where it can. A rule of thumb for people
 * who share data, by what the licenses ask for (attribution, share alike, no commerce, no derivatives), and no legal advice.
 *
 * @param target  SPDX id
 */
export function licenseConflicts(inherited: readonly InheritedLicense[], target: string): readonly string[] {
  return inherited.flatMap(({ license, text, sources }): readonly string[] => {
    const of = `of ${sources.join(', ')}`;
    if (license === '') return [text === '' ? `nobody knows the license ${of}` : `"${text}" ${of} is no known license`];
    // Of several that may be chosen from, one that fits is enough.
    const choices = license.split(/\s+OR\s+/).map((choice) => choice.replace(/[()]/g, '').trim());
    const reasons = choices.map((choice) => choice.split(/\s+AND\s+/).flatMap((id) => conflict(id, target)));
    if (reasons.some((list) => list.length === 0)) return [];
    return (reasons[0] ?? []).map((reason) => `${license} ${of} ${reason}`);
  });
}

function conflict(id: string, target: string): readonly string[] {
  if (id === target || dedicated.has(id)) return [];
  if (/-ND(-|$)/.test(id)) return ['allows no derived tables'];
  if (/-NC(-|$)/.test(id) && !/-NC(-|$)/.test(target)) return [`forbids commerce, which ${target} allows`];
  const asksForTheSame = /-SA(-|$)|^ODbL|^(?:A|L)?GPL/.test(id);
  const family = (one: string): string => one.replace(/-\d.*$/, '');
  if (asksForTheSame && family(id) !== family(target)) return [`must be shared alike, not under ${target}`];
  if (dedicated.has(target)) return [`asks for attribution, which ${target} gives up`];
  return [];
}
