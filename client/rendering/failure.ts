/** An error as an operator reads it: what was tried, what was found, what to do. */
import type { SrdfError } from '../../temporal/error-catalogue.js';
import { exitCodeOf } from './exit-codes.js';

export function renderFailure(error: SrdfError): string {
  const { tried, found, action } = error.facts;
  const part = (title: string, text: string) => `  ${title.padEnd(7)}${text.trim().replaceAll('\n', '\n         ')}\n`;
  return `srdf: ${error.code}\n${part('tried', tried)}${part('found', found)}${part('do', action)}`;
}

/** The same for a script: one JSON object on standard output, the exit code beside it. */
export function failureJson(error: SrdfError): string {
  const { tried, found, action } = error.facts;
  return `${JSON.stringify({ error: { code: error.code, exit: exitCodeOf(error.code), tried, found, action } })}\n`;
}
