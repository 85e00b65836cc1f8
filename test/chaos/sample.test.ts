/** A sample of the fault matrix, one of each way in which a step can be left half done; `npm run chaos` goes through all of it. */
import { afterAll, expect, it } from 'vitest';
import { MATRIX, nameOf } from './matrix.js';
import { ChaosCases } from './run-cases.js';

const SAMPLE: ReadonlySet<string> = new Set([
  'kill -9 of Temporal at spool-synced',
  'the cycle ended by hand, the next one begun, while its activity runs on at spool-writing',
  'kill -9 of the source database at wagon-cut',
  'the activity doubled at rows-written',
  'kill -9 of the target database at ledger-moved',
  'kill -9 of the target worker at committed',
  'the activity’s result lost at confirmed',
  'kill -9 of the target database at ddl-executed',
]);
const cases = MATRIX.filter((it) => SAMPLE.has(nameOf(it))).map((it) => ({ name: nameOf(it), chosen: it }));

const matrix = new ChaosCases({ kind: 'mariadb', breakable: false, progress: (line) => process.stderr.write(`${line}\n`) });
afterAll(async () => await matrix.end());

it('has all its cases in the matrix', () => expect(cases).toHaveLength(SAMPLE.size));
it.each(cases)('$name', { timeout: 240_000 }, async ({ chosen }) => {
  expect(await matrix.run(chosen)).toMatchObject({ outcome: 'went on', detail: '' });
});
