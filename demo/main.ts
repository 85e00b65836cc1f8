/**
 * `npm run demo`: from nothing to two identical sides, with traffic, an ALTER and two power cuts between. Production's own parts throughout;
 * this file only tells them when. scripts/demo.mjs has made the machine ready before.
 */
import colours from 'picocolors';
import { Pair } from '../test/integration/pair.js';
import { interrupt } from './interruption.js';
import { howToGoOn } from './keep.js';
import { measure } from './measures.js';
import { type DemoOptions, readOptions } from './options.js';
import { type DemoResult, renderReport, toResult } from './report.js';
import { Screen } from './screen.js';
import { fillShop } from './shop/rows.js';
import { SHOP_ALTERATIONS, SHOP_SCHEMA } from './shop/schema.js';
import { Traffic } from './shop/traffic.js';

const pause = async (milliseconds: number): Promise<void> => await new Promise((resolve) => setTimeout(resolve, milliseconds));

async function demonstrate(options: DemoOptions, screen: Screen): Promise<DemoResult> {
  screen.heading('SRDF: a shop in Paris, kept alive in Frankfurt');

  screen.begin('Two sites: a database server and a worker each, and Temporal');
  const pair = await Pair.start({ kind: options.engine, name: 'shop', every: options.every, progress: (line) => screen.note(line) });
  try {
    if (pair.temporal.uiAddress !== null) screen.note(`Temporal UI: ${colours.underline(pair.temporal.uiAddress)}`);
    screen.done('both workers poll their task queues');

    screen.begin('The shop: tables with cascades, unique keys, JSON, generated columns, a view, a routine, a trigger');
    await buildShop(pair, screen);

    screen.begin('Establish: copy everything to Frankfurt while Paris stays open');
    const early = new Traffic({ connect: async () => await pair.source.connect(), rate: Math.ceil(options.rate / 4) });
    early.start();
    try {
      await pair.establish((line) => (line.startsWith('copying') ? screen.running(line) : screen.note(line)));
    } finally {
      await early.stop();
    }
    screen.done('the stream is consistent; cycles run');

    screen.begin(`Live: ${options.rate} transactions a second for ${options.seconds} s, a cycle every ${options.every}`);
    await live(pair, options, screen);

    screen.begin('Stop, wait until all is confirmed, compare');
    await pair.waitConfirmed({ scheduled: true, seconds: 90 });
    screen.done('every wagon is confirmed by a signed receipt');
    const comparison = await pair.compareBySql();
    screen.done(`${comparison.rows.toLocaleString('en')} rows of ${comparison.tables} tables compared on both sides by plain SQL`);

    const measures = measure(await pair.cycleResults());
    const states = await pair.states();
    screen.plain(`\n${renderReport(measures, states, comparison)}`);
    const result = toResult(measures, states, comparison, pair.temporal.uiAddress);
    if (options.json) screen.plain(JSON.stringify(result));
    if (options.keep) {
      screen.plain(howToGoOn(pair));
      // Until Ctrl-C, which ends and removes everything.
      await new Promise(() => setInterval(() => {}, 2 ** 30));
    }
    return result;
  } finally {
    await pair.remove();
  }
}

async function buildShop(pair: Pair, screen: Screen): Promise<void> {
  const connection = await pair.source.connect();
  try {
    for (const statement of SHOP_SCHEMA) await connection.query(statement);
    const rows = await fillShop(connection, (it) => screen.running(`${it.toLocaleString('en')} rows`));
    const tables = SHOP_SCHEMA.filter((it) => it.startsWith('CREATE TABLE')).length;
    screen.done(`${tables} tables, ${rows.toLocaleString('en')} rows`);
  } finally {
    await connection.end();
  }
}

async function live(pair: Pair, options: DemoOptions, screen: Screen): Promise<void> {
  const traffic = new Traffic({ connect: async () => await pair.source.connect(), rate: options.rate });
  const began = Date.now();
  const until = async (part: number): Promise<void> => {
    for (const moment = began + part * options.seconds * 1_000; Date.now() < moment; await pause(500))
      screen.running(`${traffic.counts.committed.toLocaleString('en')} transactions committed`);
  };
  traffic.start();
  try {
    for (const [part, side, site] of [
      [0.2, 'source', 'Paris'],
      [0.6, 'target', 'Frankfurt'],
    ] as const) {
      await until(part);
      const doing = await interrupt(pair, side, { seconds: 30, downMilliseconds: 1_500 });
      if (doing === null) throw new Error(`the ${side} had no wagon in hand for 30 s`);
      screen.note(`kill -9 of the ${side} worker (${site}) in the middle of ${colours.bold(doing)}; it is back`);
      if (side === 'source') {
        await until(0.4);
        const connection = await pair.source.connect();
        for (const statement of SHOP_ALTERATIONS) await connection.query(statement);
        await connection.end();
        traffic.useRelease();
        screen.note('ALTER TABLE customer, a new index and a new table, in the middle of the traffic, which uses them at once');
      }
    }
    await until(1);
  } finally {
    const counts = await traffic.stop();
    screen.done(
      `${counts.committed.toLocaleString('en')} transactions committed, ${counts.rolledBack} rolled back, ${counts.retried} tried again`,
    );
  }
}

const screen = new Screen();
try {
  const result = await demonstrate(readOptions(process.argv.slice(2)), screen);
  process.exitCode = result.identical ? 0 : 1;
} catch (error) {
  screen.failed(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
}
