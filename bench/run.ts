/** `npm run bench`: each measurement against its peer in this very run; a table, and with --json one line of figures at the end. */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { bootstrap } from './bootstrap.js';
import { catchUp } from './catch-up.js';
import type { BenchRow, Measurement } from './contract.js';
import { idle } from './idle.js';
import { lag } from './lag.js';
import { reader } from './reader.js';
import { sourceLoad } from './source-load.js';

const MEASUREMENTS: readonly Measurement[] = [reader, catchUp, bootstrap, sourceLoad, lag, idle];
const USAGE = `usage: npm run bench -- [--only NAME,…] [--scale N] [--rounds N] [--json]
  --only    ${MEASUREMENTS.map((it) => it.name).join(', ')}
  --scale   1: a million changes, a database of 5 GB; 0.1: a tenth of it. Default: 1, for catchup 0.3, for bootstrap 0.1
  --rounds  how often each figure is taken, the median is told (default 3)
  --json    a last line of JSON with all figures`;

function parameters() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string' },
        scale: { type: 'string' },
        rounds: { type: 'string', default: '3' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const names = values.only?.split(',');
    const unknown = names?.filter((name) => !MEASUREMENTS.some((it) => it.name === name)) ?? [];
    const scale = values.scale === undefined ? null : Number(values.scale);
    const rounds = Number(values.rounds);
    if (values.help || unknown.length > 0 || (scale !== null && !(scale > 0 && scale <= 10)) || !Number.isInteger(rounds) || rounds < 1)
      return null;
    return { chosen: MEASUREMENTS.filter((it) => names?.includes(it.name) ?? true), scale, rounds, json: values.json };
  } catch {
    return null;
  }
}

const asked = parameters();
if (asked === null) {
  console.error(USAGE);
  process.exit(2);
}
const started = performance.now();
const tell = (line: string): void => console.error(`${((performance.now() - started) / 1_000).toFixed(0).padStart(5)} s  ${line}`);
const rows: BenchRow[] = [];
let figures: Readonly<Record<string, unknown>> = {};
for (const measurement of asked.chosen) {
  tell(`— ${measurement.name}`);
  const measured = await measurement.measure({ tell, scale: asked.scale ?? measurement.usualScale, rounds: asked.rounds });
  rows.push(...measured.rows);
  figures = { ...figures, ...measured.figures };
}
const table = new Table({ head: ['what', 'SRDF', 'against', 'ratio', 'asked', ''], style: { head: [], border: [] } });
for (const row of rows)
  table.push([row.what, row.ours, row.peer, row.ratio, row.target, row.reached === null ? '' : row.reached ? 'reached' : 'missed']);
console.log(table.toString());
if (asked.json) console.log(JSON.stringify(figures));
