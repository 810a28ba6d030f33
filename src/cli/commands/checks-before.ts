import { readUnitTests, runChangedTests, testDiagnostics } from '../../check/test-project.js';
import type { BoundProject } from '../../domain/bound-project.js';
import type { Diagnostic } from '../../domain/diagnostic.js';
import { ownFolder } from '../../workflow.js';
import { type CommandContext, flagOption } from '../command.js';

/**
 * What has to hold before a plan is made: the unit tests of models pass. Tests that passed before run again only once they,
 * or what they test, have changed.
 *
 * @returns everything that does not hold
 */
export async function checksBeforePlan(
  { workspace }: CommandContext,
  project: BoundProject,
  options: Readonly<Record<string, unknown>>,
  executionTime: number,
): Promise<readonly Diagnostic[]> {
  if (flagOption(options, 'skipTests')) return [];
  const effects = {
    ...workspace.outside,
    projectFolder: workspace.projectFolder,
    cacheFolder: ownFolder(workspace, 'cache'),
    executionTime,
  };
  const tests = readUnitTests(project, effects);
  if (!tests.ok) return tests.errors;
  return testDiagnostics(await runChangedTests(tests.value, project, effects));
}
