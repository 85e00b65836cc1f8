/** Compares both sides of a stream. */
import { SrdfError } from '../temporal/error-catalogue.js';
import type { StreamControl } from './control.js';
import type { Terminal } from './terminal.js';

export async function verifyStream(_control: StreamControl, _tables: readonly string[], _terminal: Terminal): Promise<unknown> {
  throw new SrdfError('not-supported', { tried: 'comparing', found: 'no compare workflow yet', action: 'wait' });
}
export const differences = (_stream: string, _result: unknown): SrdfError | null => null;
