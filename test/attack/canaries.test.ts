/** Values planted in rows, keys, statements and secrets are nowhere but in the two databases: not even where an error would have quoted them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePayloadKey } from '../../temporal/payload-codec.js';
import { Pair } from '../integration/pair.js';
import type { ServerKind } from '../servers/database-server.js';
import { found, openedHistories, searchFiles } from './canary-search.js';

const CANARIES = {
  row: 'Zeisig-4f81c2d9',
  key: 'Amsel-7be0913a',
  unique: 'Drossel-c55e20f7',
  parent: 'Meise-19ab64e3',
  comment: 'Kuckuck-88d1f0b6',
  default: 'Specht-d3407c1e',
};
/** Where a value may lie: the source's own disk keeps the ranges of a copy, whose bounds are keys; the key rings and passwords are what they are. */
const OWN = /^(source-state\/range-plans\/|payload\.key$|(source|target)-keys\/)/;

describe.each<ServerKind>(['mariadb', 'mysql'])('between %s servers', (kind) => {
  let pair: Pair;
  let said = '';
  let payloadKey: Uint8Array;
  let secrets: Record<string, string | Uint8Array>;
  beforeAll(async () => {
    pair = await Pair.start({ kind, stream: { bootstrap: { rowsPerRange: 7 } } });
    const written = (await readFile(join(pair.directory, 'payload.key'), 'utf8')).trim();
    payloadKey = parsePayloadKey(written);
    secrets = { ...pair.env, written, payloadKey };
    const { row, key, unique, parent, comment } = CANARIES;
    await pair.source.sql(
      `CREATE DATABASE shop; USE shop;
       CREATE TABLE parent (name VARCHAR(60) PRIMARY KEY);
       CREATE TABLE item (id VARCHAR(60) PRIMARY KEY, v VARCHAR(100), u VARCHAR(60) UNIQUE, p VARCHAR(60), FOREIGN KEY (p) REFERENCES parent (name))
         COMMENT '${comment}';
       INSERT INTO parent VALUES ('${parent}');
       ${Array.from({ length: 30 }, (_, at) => `INSERT INTO item VALUES ('${key}-${at}', '${row}', '${unique}-${at}', '${parent}');`).join('\n')}`,
    );
    await pair.establish((line) => {
      said += `${line}\n`;
    });
  });
  afterAll(async () => await pair?.remove());

  /** A command as an operator calls it, in words and as JSON; all it says is kept. */
  const tell = async (...parameters: string[]): Promise<string> => {
    let all = '';
    for (const form of parameters[0] === 'cycle' || parameters[1] === 'retry' ? [['--json']] : [[], ['--json']]) {
      const { stdout, stderr } = await pair.srdf(...parameters, ...form);
      all += `${stdout}${stderr}`;
    }
    said += all;
    return all;
  };
  const dead = async (code: string): Promise<void> => {
    expect(await tell('cycle', 'shop')).toContain(code);
    // While the wagon that holds them lies in the inbox and the dead letter stands.
    expect(await searchFiles(pair.directory, CANARIES, OWN)).toEqual([]);
    await tell('status');
    await tell('dead-letters', 'list');
  };
  const mended = async (): Promise<void> => {
    await tell('dead-letters', 'retry', 'shop');
    await pair.waitConfirmed();
    expect((await pair.compareBySql()).differences).toEqual([]);
  };

  it('rows that change, and change their keys', async () => {
    const { row, key, unique, parent, comment, default: default_ } = CANARIES;
    await pair.source.sql(
      `UPDATE item SET v = '${row}-2' WHERE id = '${key}-1'; UPDATE item SET id = '${key}-moved' WHERE id = '${key}-2'; DELETE FROM item WHERE id = '${key}-3';
       INSERT INTO item VALUES ('${key}-new', '${row}', '${unique}-new', '${parent}');
       ALTER TABLE item ADD COLUMN note VARCHAR(60) DEFAULT '${default_}' COMMENT '${comment}';
       CREATE VIEW known AS SELECT id FROM item WHERE v = '${row}'`,
      'shop',
    );
    await pair.waitConfirmed();
    expect((await pair.compareBySql()).differences).toEqual([]);
    for (const it of [['verify', 'shop'], ['status'], ['trace', 'shop', '1']]) await tell(...it);
  });

  it('a row that is there already', async () => {
    const { row, key } = CANARIES;
    await pair.target.sql(`INSERT INTO item (id, v) VALUES ('${key}-twice', '${row}')`, 'shop');
    await pair.source.sql(`INSERT INTO item (id, v) VALUES ('${key}-twice', '${row}')`, 'shop');
    await dead('target-divergence');
    await tell('verify', 'shop');
    await pair.target.sql(`DELETE FROM item WHERE id = '${key}-twice'`, 'shop');
    await mended();
  });

  it('a row that is missing', async () => {
    const { key, row } = CANARIES;
    const [before] = await pair.target.sql(`SELECT v, u, p, note FROM item WHERE id = '${key}-5'`, 'shop');
    await pair.target.sql(`DELETE FROM item WHERE id = '${key}-5'`, 'shop');
    await pair.source.sql(`UPDATE item SET v = '${row}-5' WHERE id = '${key}-5'`, 'shop');
    await dead('target-divergence');
    await pair.target.sql(
      `INSERT INTO item VALUES ('${key}-5', '${before?.v}', '${before?.u}', '${before?.p}', '${before?.note}')`,
      'shop',
    );
    await mended();
  });

  it('a statement that the rows do not fit', async () => {
    const { key, row, unique } = CANARIES;
    await pair.source.sql("ALTER TABLE item ADD COLUMN digits VARCHAR(60) DEFAULT '1'; UPDATE item SET note = id", 'shop');
    await pair.waitConfirmed();
    /** What the statement meets at the target and not at the source, and how that is put right. */
    const unfit: [string, string, string][] = [
      ['ADD UNIQUE KEY once (v, note)', `v = '${row}', note = '${unique}'`, "v = '1', note = id"],
      ['MODIFY digits INT', `digits = '${row}'`, "digits = '1'"],
      ['ADD CONSTRAINT small CHECK (digits < 5)', "digits = '7'", "digits = '1'"],
    ];
    await pair.source.sql(`UPDATE item SET v = '1' WHERE id IN ('${key}-7', '${key}-8')`, 'shop');
    for (const [change, met, right] of unfit) {
      await pair.waitConfirmed();
      await pair.target.sql(`UPDATE item SET ${met} WHERE id IN ('${key}-7', '${key}-8')`, 'shop');
      await pair.source.sql(`ALTER TABLE item ${change}`, 'shop');
      await dead('ddl-failed');
      await pair.target.sql(`UPDATE item SET ${right} WHERE id IN ('${key}-7', '${key}-8')`, 'shop');
      await mended();
    }
  });

  it('a source that lets nothing be read in the middle of a comparison', async () => {
    await pair.source.sql(`REVOKE SELECT ON shop.* FROM 'srdf_source'@'%'`);
    expect(await tell('verify', 'shop')).toMatch(/source-preflight|sides-differ/);
    await pair.source.sql(`GRANT SELECT ON shop.* TO 'srdf_source'@'%'`);
    await pair.waitConfirmed();
  });

  it('are in no file of the pair: spool, inbox, receipts, notes, logs, Temporal’s database', async () => {
    expect(await searchFiles(pair.directory, CANARIES, OWN)).toEqual([]);
    expect(await searchFiles(pair.directory, secrets, OWN)).toEqual([]);
    // The search finds what is there: the source's own log, and the ranges of the copy.
    expect((await searchFiles(join(pair.source.directory, 'data'), CANARIES, /^$/)).join('\n')).toContain('row');
    expect((await searchFiles(join(pair.directory, 'source-state'), CANARIES, /^$/)).join('\n')).toContain('range-plans');
  });

  it('are in no history, even opened with the payload key, and in nothing that was said', async () => {
    const opened = await openedHistories(pair, payloadKey);
    expect(opened).toContain('shop.item');
    expect(opened).toContain('target-divergence');
    for (const text of [opened, said]) {
      expect(found(Buffer.from(text), CANARIES)).toEqual([]);
      expect(found(Buffer.from(text), secrets)).toEqual([]);
    }
    expect(said).toContain('target-divergence');
  });
});
