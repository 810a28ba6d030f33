import type { Diagnostic } from '../domain/diagnostic.js';
import type { Source } from '../domain/model.js';
import type { PlaceFacts } from '../domain/provenance.js';
import { spdxOf } from '../domain/spdx.js';

/** SL0511: what a source declares of itself, and its place says otherwise. The declaration is what is kept. */
export function contradictions(source: Source, facts: PlaceFacts = {}): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const report = (what: string, declared: string, said: string): void => {
    found.push({
      code: 'SL0511',
      severity: 'warning',
      message: `source "${source.name}": its ${what} is declared as ${declared}, and its place says ${said}`,
      location: source.location,
      hint: `leave ${what.toLowerCase()} out to keep what the place says, or correct it`,
    });
  };
  const license = spdxOf(facts.license ?? '');
  // A license that nobody knows by its text says nothing against another.
  if (source.license !== '' && license !== undefined && spdxOf(source.license) !== license)
    report('license', source.license, license);
  const dois = [facts.doi ?? '', facts.conceptDoi ?? ''].filter((doi) => doi !== '').map(plainDoi);
  const [first] = dois;
  if (source.doi !== '' && first !== undefined && !dois.includes(plainDoi(source.doi)))
    report('DOI', source.doi, first);
  return found;
}

/** DOIs do not differ by case, nor by how they are introduced. */
function plainDoi(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/^(?:doi:\s*|https?:\/\/(?:dx\.)?doi\.org\/)/, '');
}
