import { readUnitTests, runChangedTests, testDiagnostics } from '../../check/test-project.js';
import type { BoundProject } from '../../domain/bound-project.js';
import type { Diagnostic } from '../../domain/diagnostic.js';
import { lintProject } from '../../lint/lint-project.js';
import { ownFolder } from '../../workflow.js';
import { type CommandContext, flagOption } from '../command.js';

/**
 * What has to hold before a plan is made: the rules of the linter, where it is enabled, and the unit tests of models. Tests
 * that passed before run again only once they, or what they test, have changed.
 *
 * @returns everything that does not hold, and warnings
 */
export async function checksBeforePlan(
  { workspace }: CommandContext,
  project: BoundProject,
  options: Readonly<Record<string, unknown>>,
  executionTime: number,
): Promise<readonly Diagnostic[]> {
  const isTesting = !flagOption(options, 'skipTests');
  const isLinting = project.project.config.linter.enabled && !flagOption(options, 'skipLinter');
  if (!isTesting && !isLinting) return [];
  const effects = {
    ...workspace.outside,
    projectFolder: workspace.projectFolder,
    cacheFolder: ownFolder(workspace, 'cache'),
    executionTime,
  };
  const tests = readUnitTests(project, effects);
  if (!tests.ok) return tests.errors;
  const left = new Set((project.left?.models ?? []).map(({ model }) => model));
  const own = tests.value.filter(({ model }) => !left.has(model));
  const found: Diagnostic[] = [];
  if (isLinting) {
    const testedModels = new Set(own.map((test) => test.model));
    const linted = lintProject({ project, testedModels }, { models: undefined, otherwise: 'nothing' });
    found.push(...(linted.ok ? linted.value.map((result) => result.diagnostic) : linted.errors));
  }
  if (isTesting) found.push(...testDiagnostics(await runChangedTests(own, project, effects)));
  return found;
}
