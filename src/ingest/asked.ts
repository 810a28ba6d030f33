import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectorEffects, PlaceError } from './connectors/connector.js';
import { hintFor, plainReason } from './download.js';

const ATTEMPTS = 3;
const FIRST_WAIT_MS = 300;

/** The status that a place answered with, to whoever asked for something else than a file. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: number;
  /** How long the place asks to be left alone. */
  readonly waitMs: number | undefined;

  constructor(status: number, waitMs?: number) {
    super(`the server answers ${status}`);
    this.status = status;
    this.waitMs = waitMs;
  }
}

/** The status of an answer that was thrown. */
export function statusIn(thrown: unknown): number | undefined {
  return thrown instanceof StatusError ? thrown.status : undefined;
}

/**
 * Asks a place something small, and once more when it does not answer or is busy.
 *
 * @param statusOf  the HTTP status in what was thrown, where the place answered
 * @throws PlaceError
 */
export async function asked<T>(
  ask: () => Promise<T>,
  statusOf: (thrown: unknown) => number | undefined,
  effects: Pick<ConnectorEffects, 'sleep'>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (thrown) {
      if (thrown instanceof PlaceError) throw thrown;
      const status = statusOf(thrown);
      const isAway = status === undefined || status === 408 || status === 429 || status >= 500;
      if (!isAway) throw new PlaceError('refused', `the server answers ${status}`, hintFor(status));
      const reason = status === undefined ? plainReason(thrown) : `the server answers ${status}`;
      if (attempt === ATTEMPTS) throw new PlaceError('unreachable', reason, 'try again once the server is there');
      const wanted = thrown instanceof StatusError ? thrown.waitMs : undefined;
      const waitMs = wanted ?? FIRST_WAIT_MS * 2 ** attempt * (0.5 + Math.random() / 2);
      await (effects.sleep ?? ((ms) => sleep(ms)))(waitMs);
    }
  }
}
