/** Dead letters as an operator reads them. Touches nothing. */
import type { FoundDeadLetter } from '../decide-dead-letter.js';

export function renderDeadLetters(found: readonly FoundDeadLetter[]): string {
  if (found.length === 0) return 'No dead letters.\n';
  return found
    .map(
      ({ stream, sequence, epoch, hash, since, error }) =>
        `${stream}: wagon ${sequence} of epoch ${epoch}, since ${new Date(since).toISOString()}\n` +
        `  tried   ${error.tried}\n  found   ${error.found} (${error.code})\n  do      ${error.action}\n` +
        `          then: srdf dead-letters retry ${stream}\n  hash    ${hash}\n`,
    )
    .join('\n');
}
