/** docs/faults.md: outcomes by engine, fault and point. A run changes the cases it has run and leaves the others. Pure. */
import type { FaultPoint } from '../../activities/fault-points.js';
import { type CaseOutcome, type FaultGroup, OUTCOMES } from './contract.js';
import { FAULTS, POINTS } from './matrix.js';

export interface EngineRun {
  /** `MariaDB`, `MySQL`. */
  readonly engine: string;
  /** As the server tells it. */
  readonly version: string;
  /** Of the newest run, YYYY-MM-DD. */
  readonly date: string;
}
export type Told = Pick<CaseOutcome, 'point' | 'fault' | 'outcome' | 'detail'>;
interface Section extends EngineRun {
  readonly cases: ReadonlyMap<string, Told>;
}

const GROUPS: readonly { readonly group: FaultGroup; readonly title: string }[] = [
  { group: 'kill', title: 'Killed' },
  { group: 'activity', title: 'Activities' },
  { group: 'network', title: 'Network' },
  { group: 'disk', title: 'Disks' },
  { group: 'files', title: 'Files' },
  { group: 'clock', title: 'Clocks' },
  { group: 'double start', title: 'Workers started twice' },
];
/** Few faults at many points: a line a point. */
const BY_POINT: readonly FaultGroup[] = ['kill', 'activity'];

const HEAD = `# Faults

Written by \`npm run chaos\`, which breaks a pair of real servers and workers: a process is held still at a step of replication
(activities/fault-points.ts), a fault strikes, the hold is lifted, the fault ends. Clients write all the while. Afterwards scheduled cycles alone
must bring the ledger to the source's last transaction and every wagon to confirmed; both sides must be equal by plain SQL; nothing may be there
twice; both workers must still run.

*went on*: the stream went on by itself. *mended*: it stopped with the error that belongs to the fault, and went on after what the operator is told to do.
A run updates the cases it has gone through.
`;

const keyOf = ({ fault, point }: Pick<Told, 'fault' | 'point'>): string => `${fault} at ${point}`;
const CELLS: Readonly<Record<Told['outcome'], string>> = {
  'went on': 'went on',
  'stopped, mended by the operator': 'mended',
  FAILED: '**FAILED**',
  'not possible here': 'not possible',
};
const EMPTY = '·';

/** The page with this run's outcomes in it. `before`: the page as it was, '' when there was none. */
export function updatedPage(before: string, run: EngineRun, outcomes: readonly Told[]): string {
  const sections = readPage(before);
  const cases = new Map(sections.get(run.engine)?.cases);
  for (const it of outcomes) cases.set(keyOf(it), it);
  sections.set(run.engine, { ...run, cases });
  return `${HEAD}\n${[...sections.values()]
    .sort((a, b) => a.engine.localeCompare(b.engine))
    .map(renderSection)
    .join('\n')}`;
}

/** The cases, as `FAULT at POINT`, that came out well when they were last run on these servers. */
export function goodOnPage(page: string, engine: string): ReadonlySet<string> {
  const told = [...(readPage(page).get(engine)?.cases.values() ?? [])];
  return new Set(told.filter(({ outcome }) => outcome === 'went on' || outcome === 'stopped, mended by the operator').map(keyOf));
}

function renderSection({ engine, version, date, cases }: Section): string {
  const counts = OUTCOMES.map((outcome) => [outcome, [...cases.values()].filter((it) => it.outcome === outcome).length] as const);
  const counted = counts.filter(([, count]) => count > 0).map(([outcome, count]) => `${count} ${outcome}`);
  const parts = [`## ${engine}`, `${version}, last run on ${date}. ${cases.size} cases: ${counted.join('; ')}.`];
  for (const { group, title } of GROUPS) {
    const faults = FAULTS.filter((it) => it.group === group).map((it) => it.name);
    const told = faults.flatMap((fault) => POINTS.flatMap((point) => cases.get(keyOf({ fault, point })) ?? []));
    if (told.length === 0) continue;
    const points = POINTS.filter((point) => told.some((it) => it.point === point));
    const seen = faults.filter((fault) => told.some((it) => it.fault === fault));
    const cell = (fault: string, point: FaultPoint): string => {
      const it = cases.get(keyOf({ fault, point }));
      return it === undefined ? EMPTY : CELLS[it.outcome];
    };
    const table = BY_POINT.includes(group)
      ? [['point', ...seen], ...points.map((point) => [point, ...seen.map((fault) => cell(fault, point))])]
      : [['fault', ...points], ...seen.map((fault) => [fault, ...points.map((point) => cell(fault, point))])];
    parts.push(`### ${title}`, renderTable(table));
    const details = told.filter((it) => it.detail !== '').map((it) => `- ${keyOf(it)}: ${oneLine(it.detail)}`);
    if (details.length > 0) parts.push(details.join('\n'));
  }
  return `${parts.join('\n\n')}\n`;
}
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

function renderTable([head = [], ...rows]: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function readPage(page: string): Map<string, Section> {
  const sections = new Map<string, Section>();
  for (const text of page.split(/^## /m).slice(1)) {
    const [engine = '', ...lines] = text.split('\n');
    const [, version = '', date = ''] = /^(.*), last run on ([\d-]+)\./.exec(lines.find((it) => it !== '') ?? '') ?? [];
    sections.set(engine, { engine, version, date, cases: readCases(lines) });
  }
  return sections;
}

function readCases(lines: readonly string[]): ReadonlyMap<string, Told> {
  const cases = new Map<string, Told>();
  const details = new Map<string, string>();
  let head: readonly string[] = [];
  for (const line of lines) {
    const [, key = '', detail = ''] = /^- (.+? at [\w-]+): (.*)$/.exec(line) ?? [];
    if (key !== '') details.set(key, detail);
    if (!line.startsWith('| ')) head = [];
    else if (head.length === 0) head = cellsOf(line);
    else {
      const [name = '', ...cells] = cellsOf(line);
      for (const [at, cell] of cells.entries()) {
        const outcome = OUTCOMES.find((it) => CELLS[it] === cell);
        const other = head[at + 1] ?? '';
        const [fault, named] = head[0] === 'point' ? [other, name] : [name, other];
        const point = POINTS.find((it) => it === named);
        if (outcome !== undefined && point !== undefined) cases.set(keyOf({ fault, point }), { fault, point, outcome, detail: '' });
      }
    }
  }
  for (const [key, it] of cases) cases.set(key, { ...it, detail: details.get(key) ?? '' });
  return cases;
}
const cellsOf = (line: string): readonly string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
