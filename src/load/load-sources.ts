import type { BoundProject } from '../domain/bound-project.js';
import type { Diagnostic } from '../domain/diagnostic.js';
import { didYouMean } from '../domain/near-miss.js';
import { bindSources } from './bind-sources.js';
import { type LoadEffects, withPins } from './load-project.js';
import { readProject } from './read-project.js';

/**
 * The sources of a project without its models: each is looked at by itself, and one that is broken leaves the others.
 *
 * @param names  sources, as they are declared; none for all of them
 */
export async function loadSources(
  names: readonly string[],
  effects: LoadEffects,
): Promise<{ readonly project: BoundProject; readonly diagnostics: readonly Diagnostic[] }> {
  const { project, diagnostics } = await readProject(effects);
  const known = project.sources.map(({ name }) => name);
  const wanted = names.map((name) => name.toLowerCase());
  const unknown = wanted
    .filter((name) => !known.includes(name))
    .map((name): Diagnostic => {
      const hint =
        didYouMean(name, known) ?? (known.length === 0 ? 'none is declared' : `there are ${known.join(', ')}`);
      return { code: 'SL0509', severity: 'error', message: `there is no source "${name}"`, hint };
    });
  // Models that cannot be read are no reason not to fetch; what is wrong with a source's own file is.
  const own = diagnostics.filter(({ location }) => location?.file.startsWith('sources/') ?? true);
  const chosen = project.sources.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  const { sources, diagnostics: found } = await bindSources(
    unknown.length > 0 ? [] : chosen,
    withPins(project, effects),
  );
  return {
    project: { project: { ...project, models: [] }, models: [], sources, audits: [] },
    diagnostics: [...own, ...unknown, ...found],
  };
}
