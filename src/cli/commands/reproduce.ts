import type { Diagnostic } from '../../domain/diagnostic.js';
import { PROD } from '../../domain/names.js';
import { didYouMean } from '../../domain/near-miss.js';
import type { Contents } from '../../metadata/contents.js';
import { load, recordedState } from '../../workflow.js';
import { type CommandDefinition, exitCodes, textOption } from '../command.js';
import { readProvenance } from '../read-provenance.js';
import { reportErrors, showJson } from '../report.js';
import { type Recorded, type Reproduction, recordedPlan, reproduce } from '../reproduce.js';
import { styleOf } from '../style.js';
import { readPlanOptions } from './plan-options.js';

/** `scilake reproduce PLAN|MODEL`: builds it again from what is recorded, in a lake of its own, and compares the rows. */
export const reproduceCommand: CommandDefinition = {
  configure(command) {
    command
      .argument('<what>', 'id of a plan, or schema.table')
      .option('--env <name>', 'with a model: environment (default: prod)');
  },
  async run(context, [what = ''], options) {
    const { workspace, shell } = context;
    const loaded = await load(workspace);
    if (!loaded.ok) return reportErrors(context, loaded.errors);
    const { config } = loaded.value.project;
    const state = await recordedState(workspace, config);
    const environment = state.environments.get(textOption(options, 'env') ?? PROD);
    const model = what.toLowerCase();
    const isModel = environment?.models[model] !== undefined;
    const planId = isModel ? environment.planId : what;
    const recorded = state.environments.size === 0 ? undefined : await recordedPlan(planId, workspace, config);
    if (recorded === undefined) return reportErrors(context, [unknown(what, environment?.models ?? {})]);
    const planOptions = await readPlanOptions(context, config, [PROD], {});
    const result = await reproduce(recorded, isModel ? model : undefined, {
      local: loaded.value,
      workspace,
      options: planOptions,
    });
    const programs = changedPrograms(recorded, readProvenance(workspace, config), await programsNow(workspace));
    const isSame = result.type === 'rebuilt' && result.models.every(({ status }) => status === 'same');
    if (context.options.json) showJson(shell, { what, plan: planId, same: isSame, ...result, programs });
    else shell.out(draw(result, programs, styleOf(shell.hasColor)));
    return isSame ? exitCodes.done : exitCodes.errors;
  },
};

function unknown(what: string, models: Readonly<Record<string, unknown>>): Diagnostic {
  return {
    code: 'SL0905',
    severity: 'error',
    message: `there is no plan and no model "${what}" in the lake`,
    hint: didYouMean(what, Object.keys(models)) ?? 'scilake environments lists the plans, scilake graph the models',
  };
}

interface ChangedProgram {
  readonly program: string;
  readonly recorded: string;
  readonly now: string;
}

async function programsNow({
  outside,
}: Parameters<typeof recordedState>[0]): Promise<Readonly<Record<string, string>>> {
  const database = await outside.duckdb.open();
  try {
    const [row] = await database.rows('SELECT version() AS duckdb');
    return { ...outside.tools, duckdb: String(row?.duckdb) };
  } finally {
    database.close();
  }
}

/** Programs of the plan's run that have another version here. */
function changedPrograms(
  { environment }: Recorded,
  contents: Contents,
  now: Readonly<Record<string, string>>,
): readonly ChangedProgram[] {
  const run = (contents.get('runs') ?? []).findLast((row) => row.plan_id === environment.planId);
  if (run === undefined) return [];
  const tools: unknown = JSON.parse(String(run.tools));
  if (typeof tools !== 'object' || tools === null) return [];
  return Object.entries(tools).flatMap(([program, version]): readonly ChangedProgram[] => {
    const current = now[program];
    return current === undefined || current === version ? [] : [{ program, recorded: String(version), now: current }];
  });
}

function draw(result: Reproduction, programs: readonly ChangedProgram[], style: ReturnType<typeof styleOf>): string {
  const lines: string[] = [];
  if (result.type === 'changed sources') {
    for (const { source, recorded, now } of result.sources)
      lines.push(
        `${style.red('changed')}  source ${style.bold(source)}: version ${recorded} was read, ${now === null ? 'it is gone' : `${now} is here`}`,
      );
    lines.push('It cannot be built again without the raw files that it was built from.');
  } else {
    for (const { model, status, recorded, rebuilt } of result.models) {
      const count = (content: typeof recorded): string => (content?.rows ?? 0).toLocaleString('en');
      if (status === 'same') lines.push(`${style.green('same')}     ${style.bold(model)}  ${count(recorded)} rows`);
      else if (status === 'differs')
        lines.push(
          `${style.red('differs')}  ${style.bold(model)}  ${count(recorded)} rows recorded, ${count(rebuilt)} rebuilt${recorded?.rows === rebuilt?.rows ? ', with other values' : ''}`,
        );
      else lines.push(`${style.red('gone')}     ${style.bold(model)}  its table is no longer in the lake`);
    }
    if (result.models.length === 0) lines.push('It has no table of its own to compare.');
  }
  for (const { program, recorded, now } of programs)
    lines.push(`${style.dim('program')}  ${program} was ${recorded}, it is ${now}`);
  return `${lines.join('\n')}\n`;
}
