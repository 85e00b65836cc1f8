/** What the source server says while its tables are read: what passes by itself doesn't end a first copy. */
import { describe, expect, it } from 'vitest';
import { sourceError } from '../../activities/engines/mysql/ranges/source-errors.js';
import { SrdfError } from '../../temporal/error-catalogue.js';

const read = (errno: number, message: string): SrdfError => {
  const error = sourceError(Object.assign(new Error(message), { errno, code: 'ER_SOME' }), 'planning the ranges of shop.orders');
  if (!(error instanceof SrdfError)) throw new Error('not in the words of the catalogue', { cause: error });
  return error;
};

describe('an error of the source server', () => {
  it.each([
    [
      'a full disk',
      1021,
      "Disk full (/tmp/#sql-temptable-1.MAI); waiting for someone to free some space... (errno: 28 'No space left on device')",
    ],
    ['a temporary file that can’t grow', 1026, 'Error writing file \'/tmp/MYfd=12\' (Errcode: 28 "No space left on device")'],
    ['a temporary table that can’t grow', 1114, "The table '/tmp/#sql1_2' is full"],
  ])('waits for room after %s', (_, errno, message) => {
    const { code, facts } = read(errno, message);
    expect(code).toBe('source-busy');
    expect(facts.found).toContain('disk is full');
  });

  it.each([
    ['a statement’s time limit', 3024, 'source-busy'],
    ['a sort that was ended', 1028, 'source-busy'],
    ['too many connections', 1040, 'source-unreachable'],
    ['too many connections of this account', 1226, 'source-unreachable'],
    ['a connection that was killed', 1927, 'source-unreachable'],
    ['a shutdown', 1053, 'source-unreachable'],
    ['a table that was altered', 1412, 'bootstrap-range-lost'],
    ['a privilege that lacks', 1142, 'source-preflight'],
    ['what nobody foresaw', 1366, 'not-supported'],
  ])('%s', (_, errno, code) => {
    expect(read(errno, 'some words').code).toBe(code);
  });
});
