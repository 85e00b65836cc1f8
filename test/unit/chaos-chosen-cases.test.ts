/** `npm run chaos`: which cases it goes through, by its parameters and what docs/faults.md has already. */
import { describe, expect, it } from 'vitest';
import { casesOf, choose } from '../chaos/chosen-cases.js';
import type { CaseOutcome } from '../chaos/contract.js';
import { goodOnPage, type Told, updatedPage } from '../chaos/faults-page.js';
import { EVERYWHERE, MATRIX, nameOf } from '../chaos/matrix.js';
import { readOptions } from '../chaos/options.js';

const told = (fault: string, point: Told['point'], outcome: CaseOutcome['outcome'], detail = ''): Told => ({
  fault,
  point,
  outcome,
  detail,
});
const page = updatedPage('', { engine: 'MariaDB', version: 'MariaDB 10.11.19', date: '2026-11-24' }, [
  told('kill -9 of the source worker', 'committed', 'went on'),
  told('kill -9 of the target worker', 'committed', 'FAILED', 'the sides differ'),
  told('the file of the stream’s mode damaged', 'committed', 'stopped, mended by the operator', 'srdf suspend, then srdf resume'),
  told('the disk of the inbox full', 'rows-written', 'not possible here', 'no right to mount'),
]);
const names = (parameters: readonly string[], on = page): readonly string[] => choose(readOptions(parameters), on).possible.map(nameOf);

it('reads off its page what came out well, engine by engine', () => {
  expect(goodOnPage(page, 'MariaDB')).toEqual(
    new Set(['kill -9 of the source worker at committed', 'the file of the stream’s mode damaged at committed']),
  );
  expect(goodOnPage(page, 'MySQL')).toEqual(new Set());
  expect(goodOnPage('', 'MariaDB')).toEqual(new Set());
});

describe('--missing', () => {
  it('leaves out what came out well, and takes what failed, was not possible or never ran', () => {
    const missing = names(['--missing']);
    expect(missing).not.toContain('kill -9 of the source worker at committed');
    expect(missing).not.toContain('the file of the stream’s mode damaged at committed');
    expect(missing).toContain('kill -9 of the target worker at committed');
    expect(missing).toContain('the disk of the inbox full at rows-written');
    expect(missing).toHaveLength(MATRIX.length - 2);
    expect(names(['--missing', '--engine', 'mysql'])).toEqual(MATRIX.map(nameOf));
  });
  it('goes with --only', () =>
    expect(names(['--missing', '--only', '^kill.*worker at committed$'])).toEqual(['kill -9 of the target worker at committed']));
  it('is empty when nothing is missing', () =>
    expect(names(['--missing', '--only', '^kill -9 of the source worker at committed$'])).toEqual([]));
  it('with minutes goes through the matrix in its order until the time is up', () => {
    const choice = choose(readOptions(['--missing', '--minutes', '1']), page);
    let minutes = 0;
    const cases = [...casesOf(choice, 1, () => minutes++ * 20_000)].map(nameOf);
    expect(cases).toEqual(names(['--missing']).slice(0, 3));
  });
  it('with a seed draws from what is missing', () => {
    const choice = choose(readOptions(['--missing', '--seed', '7']), page);
    expect(choice).toMatchObject({ random: true, minutes: 10 });
    expect(choice.possible).toHaveLength(EVERYWHERE.length - 2);
  });
});

it('without it goes through the whole matrix once, or draws for so many minutes, the same for the same seed', () => {
  const whole = choose(readOptions([]), page);
  expect([...casesOf(whole, 1, () => 0)]).toEqual(MATRIX);
  const drawn = (): readonly string[] => {
    const choice = choose(readOptions(['--seed', '3', '--minutes', '1']), page);
    let minutes = 0;
    return [...casesOf(choice, 3, () => minutes++ * 10_000)].map(nameOf);
  };
  expect(drawn()).toHaveLength(6);
  expect(drawn()).toEqual(drawn());
});
