import { DiagnosticError } from '../domain/diagnostic.js';
import type { CommandContext } from './command.js';

const ATTEMPTS = 5;
/** The lake moved since the plan was made; the environment was promoted by somebody else. */
const MOVED: ReadonlySet<string> = new Set(['SL0709', 'SL0705']);

/**
 * Plans and applies again where somebody else was quicker. Nothing is lost by it: what has been built is kept, and the
 * new plan goes on from there. Only where nobody has to look at the plan first.
 */
export async function retryMoved(context: CommandContext, work: () => Promise<number>): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (thrown) {
      const moved =
        thrown instanceof DiagnosticError ? thrown.diagnostics.find(({ code }) => MOVED.has(code)) : undefined;
      if (moved === undefined || !context.options.yes || attempt === ATTEMPTS) throw thrown;
      context.shell.err(`${moved.message}: planned again\n`);
    }
  }
}
