import type { LeftOut } from '../domain/bound-project.js';
import { type CommandContext, exitCodes } from './command.js';
import { reportErrors } from './report.js';

/** What is left as it is, and why, in a JSON document; nothing where all could be read. */
export function leftJson(left: LeftOut | undefined): object {
  return left === undefined ? {} : { leftOut: left.models, errors: left.errors };
}

/** Says what is left as it is, and why. @returns the exit code */
export function reportLeft({ shell, options }: CommandContext, left: LeftOut | undefined): number {
  if (left === undefined) return exitCodes.done;
  // The JSON document has them already.
  const code = reportErrors({ shell, options: { ...options, json: false } }, left.errors);
  for (const { model, because } of left.models) shell.err(`${model} is left as it is: ${because}\n`);
  return code;
}
