import type { BoundModel, BoundProject } from '../../domain/bound-project.js';
import { fail, type Result, succeed } from '../../domain/diagnostic.js';
import { floorTo, type Interval, shift } from '../../domain/interval.js';
import { didYouMean } from '../../domain/near-miss.js';
import type { ModelProgram } from '../../domain/program.js';
import { endOf, parseInstant } from '../../domain/time.js';
import { modelPrograms } from '../../load/programs.js';
import { load } from '../../workflow.js';
import { type CommandContext, textOption, UsageError } from '../command.js';
import { executionTimeOf } from './plan-options.js';

export interface LoadedModel {
  readonly project: BoundProject;
  readonly bound: BoundModel;
  readonly program: ModelProgram;
  readonly interval: Interval;
}

/** Loads the project and finds one model in it, with the interval that `--start` and `--end` name (yesterday by default). */
export async function loadModel(
  context: CommandContext,
  name: string,
  request: { readonly environment: string; readonly options: Readonly<Record<string, unknown>> },
): Promise<Result<LoadedModel>> {
  const loaded = await load(context.workspace);
  if (!loaded.ok) return loaded;
  const project = loaded.value;
  const { executionTime } = executionTimeOf(context);
  const bound = project.models.find((candidate) => candidate.model.key === name.toLowerCase());
  if (bound === undefined) return unknownModel(name, project);
  const program = modelPrograms({
    project,
    executionTime,
    environment: request.environment,
  }).get(bound.model.key);
  if (program === undefined) throw new Error(`${name} has no program`);
  return succeed({ project, bound, program, interval: intervalOf(request.options, executionTime) });
}

export function unknownModel(name: string, project: BoundProject): ReturnType<typeof fail> {
  const near = didYouMean(
    name,
    project.models.map((candidate) => candidate.model.key),
  );
  return fail({
    code: 'SL0409',
    severity: 'error',
    message: `there is no model "${name}"`,
    hint: near ?? 'scilake graph lists them all',
  });
}

function intervalOf(options: Readonly<Record<string, unknown>>, executionTime: number): Interval {
  const today = floorTo('day', executionTime);
  const read = (name: string): ReturnType<typeof parseInstant> => {
    const text = textOption(options, name);
    if (text === undefined) return undefined;
    const parsed = parseInstant(text, executionTime);
    if (parsed === undefined) throw new UsageError(`--${name} "${text}" is no time`);
    return parsed;
  };
  const start = read('start');
  const end = read('end');
  const first = start?.instant ?? shift('day', end === undefined ? today : endOf(end), -1);
  return { start: first, end: end === undefined ? Math.max(today, shift('day', first, 1)) : endOf(end) };
}
