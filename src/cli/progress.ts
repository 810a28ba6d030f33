import type { Diagnostic } from '../domain/diagnostic.js';
import type { Emit, Event, StepOutcome } from '../domain/event.js';
import type { Shell } from './command.js';
import { drawDiagnostic } from './draw-diagnostic.js';
import { describeStep } from './draw-plan.js';
import { sizeText } from './size-text.js';
import { styleOf } from './style.js';

/** Writes events as lines to standard error: one per step that did something, a moving line in a terminal while one runs. */
export function progressLines(shell: Shell, mode: 'lines' | 'quiet'): Emit {
  const style = styleOf(shell.hasColor);
  const clear = shell.isTerminal ? '\r\u001b[K' : '';
  const width = (count: number): number => String(count).length;
  let running = '';
  const arriving = new Map<string, string>();
  return (event) => {
    if (mode === 'quiet' && event.type !== 'diagnostic') return;
    switch (event.type) {
      case 'loading':
        shell.err(`${clear}${style.dim(event.detail)}\n`);
        break;
      case 'fetching':
        arriving.set(event.source, `${event.source} ${arrivalText(event)}`);
        if (shell.isTerminal)
          shell.err(
            `${clear}${style.dim('fetching')} ${[...arriving.values()].join(', ').slice(0, shell.columns - 12)}`,
          );
        break;
      case 'fetched': {
        arriving.delete(event.source);
        const files = event.fileCount === 1 ? '' : ` in ${event.fileCount.toLocaleString('en')} files`;
        shell.err(`${clear}${style.dim('fetched')} ${event.source} ${style.dim(`${sizeText(event.bytes)}${files}`)}\n`);
        break;
      }
      case 'step-started':
        running = `${style.dim(`[${String(event.index + 1).padStart(width(event.count))}/${event.count}]`)} ${describeStep(event.step)}`;
        if (shell.isTerminal) shell.err(`${clear}${running}`);
        break;
      case 'step-progress':
        if (shell.isTerminal && event.total > 0)
          shell.err(
            `${clear}${running} ${event.element === undefined ? '' : `${event.element} `}${Math.min(100, Math.round((100 * event.done) / event.total))} %`,
          );
        break;
      case 'step-finished':
        shell.err(`${clear}${drawOutcome(event.outcome, running, shell)}`);
        break;
      case 'diagnostic':
        shell.err(`${clear}${drawDiagnostic(event.diagnostic, style)}`);
        break;
      default:
        event satisfies never;
    }
  };
}

function arrivalText({ done, total, fileCount }: Extract<Event, { readonly type: 'fetching' }>): string {
  if (total !== undefined && total > 0) return `${Math.floor((100 * done) / total)} % of ${sizeText(total)}`;
  return `${sizeText(done)}${fileCount === 1 ? '' : ` in ${fileCount.toLocaleString('en')} files`}`;
}

function drawOutcome(outcome: StepOutcome, running: string, shell: Shell): string {
  const style = styleOf(shell.hasColor);
  const rows =
    outcome.rows === undefined ? '' : `${outcome.rows.toLocaleString('en')} ${outcome.rows === 1 ? 'row' : 'rows'}, `;
  switch (outcome.status) {
    case 'done':
      return `${running}  ${style.green('done')} ${style.dim(`${rows}${(outcome.elapsedMs / 1000).toFixed(2)} s`)}\n`;
    case 'failed':
      return `${running}  ${style.red('failed')}\n${[outcome.error, ...(outcome.moreErrors ?? [])].map((error) => drawn(error, shell)).join('')}`;
    case 'unchanged':
      return `${running}  ${style.green('unchanged')} ${style.dim('what it reads came out equal')}\n`;
    case 'skipped':
      return `${running}  ${style.yellow('skipped')} ${style.dim(outcome.error?.message ?? '')}\n`;
    default:
      return outcome.status satisfies never;
  }
}

function drawn(error: Diagnostic | undefined, shell: Shell): string {
  return error === undefined ? '' : drawDiagnostic(error, styleOf(shell.hasColor));
}
