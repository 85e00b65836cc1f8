import { Writable } from 'node:stream';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { SrdfError } from '../../temporal/error-catalogue.js';
import { errorForLog } from '../../workers/error-for-log.js';
import { LOG_SERIALIZERS } from '../../workers/logging.js';

const facts = { tried: 'loading range 7 of shop.item', found: 'a lock conflict', action: 'It is tried again' };
/** As the driver makes them: the statement and the server's words on the error. */
const ofDriver = (): Error =>
  Object.assign(new Error("Duplicate entry 'alice' for key 'PRIMARY'\n    at alice (alice:1:1)"), {
    code: 'ER_DUP_ENTRY',
    errno: 1062,
    sqlState: '23000',
    sql: "INSERT INTO item VALUES ('alice')",
    sqlMessage: "Duplicate entry 'alice' for key 'PRIMARY'",
  });

it('of a database keeps its numbers and where it came from, and none of its words', () => {
  const told = errorForLog(new SrdfError('target-busy', { ...facts, cause: ofDriver() }));
  expect(told).toMatchObject({
    type: 'SrdfError',
    code: 'target-busy',
    ...facts,
    cause: { code: 'ER_DUP_ENTRY', errno: 1062, sqlState: '23000' },
  });
  expect(told.cause?.stack).toContain('error-for-log.test.ts');
  expect(JSON.stringify(told)).not.toContain('INSERT');
  expect(JSON.stringify(told)).not.toContain('alice');
});

it('is written so by the worker’s log, wherever in a line it stands', () => {
  let written = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written += String(chunk);
      done();
    },
  });
  const log = pino({ serializers: LOG_SERIALIZERS }, stream);
  log.error({ err: new SrdfError('target-busy', { ...facts, cause: ofDriver() }) }, 'activity failed');
  log.error({ error: ofDriver() }, 'worker failed');
  log.error(ofDriver(), 'without a name');
  expect(written.split('\n').length).toBe(4);
  expect(written).toContain('1062');
  expect(written).not.toContain('INSERT');
  expect(written).not.toContain('alice');
});

it('of the operating system and of TLS keeps its words', () => {
  const lost = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:7443'), { code: 'ECONNREFUSED', errno: -111, syscall: 'connect' });
  expect(errorForLog(lost)).toMatchObject({ code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 10.0.0.1:7443' });
});

it('of the program, which may quote what it met, is told by its class and place; one in a circle comes to an end', () => {
  const circle = new TypeError('no such column: alice');
  circle.cause = circle;
  const told = JSON.stringify(errorForLog(circle));
  expect(told).toContain('TypeError');
  expect(told).not.toContain('alice');
  expect(errorForLog('alice')).toEqual({ type: 'string' });
});
