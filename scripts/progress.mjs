/** Lines for a person who waits, on standard error: standard output belongs to results. */
const began = Date.now();
const colour = process.stderr.isTTY && !process.env.NO_COLOR;
const paint = (code, text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);

export const say = (line) => process.stderr.write(`${paint(2, `[${((Date.now() - began) / 1000).toFixed(1).padStart(5)} s]`)} ${line}\n`);
export const sayDone = (line) => say(`${paint(32, '✓')} ${line}`);

/** What stops a script: what is missing and what to do about it, without a stack. */
export class Stop extends Error {}

/** Runs a script's main; a Stop or a failed command ends it with its message alone. */
export async function main(run) {
  try {
    await run();
  } catch (error) {
    process.stderr.write(`${paint(31, '✗')} ${error instanceof Stop ? error.message : (error.stack ?? error)}\n`);
    process.exitCode = 1;
  }
}
