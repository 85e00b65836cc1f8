/** What the target server says, in the words of the catalogue: what passes by itself is never taken for the wagon's fault. */
import { describe, expect, it } from 'vitest';
import { applyError } from '../../activities/engines/mysql/apply/apply-errors.js';
import { isPoison } from '../../temporal/poison.js';

const answer = (errno: number, message: string): Error => Object.assign(new Error(message), { errno, code: 'ER_SOME' });
const read = (errno: number, message: string) => applyError(answer(errno, message), 'applying wagon 7 of shop', 'shop.orders');

describe('an error of the target server', () => {
  it.each([
    ['a binlog that can’t be written', 1598, "Binary logging not possible. Message: … 'binlog_error_action' is set to 'ABORT_SERVER'."],
    ['a binlog that can’t be opened', 1598, 'Binary logging not possible. Message: Either disk is full, … Aborting the server.'],
    ['a shutdown', 1053, 'Server shutdown in progress'],
    [
      'too many connections of this account',
      1226,
      "User 'srdf_target' has exceeded the 'max_user_connections' resource (current value: 2)",
    ],
  ])('waits for the server after %s', (_, errno, message) => {
    expect(read(errno, message).code).toBe('target-unreachable');
  });

  it.each([
    ['a tablespace that can’t grow', 1114, "The table 'orders' is full"],
    ['no space left', 1026, "Error writing file 'binlog.000001' (errno: 28 - No space left on device)"],
    ['a quota', 1030, 'Got error 122 from storage engine'],
  ])('waits for room after %s', (_, errno, message) => {
    expect(read(errno, message).code).toBe('target-full');
  });

  it.each([
    [1062, "Duplicate entry 'secret' for key 'PRIMARY'"],
    [1598, 'Binary logging not possible. Message: something else'],
    [1366, "Incorrect integer value: 'secret'"],
  ])('%i stops the stream at the wagon, and the value in its message stays behind', (errno, message) => {
    const { code, facts } = read(errno, message);
    expect(isPoison(code)).toBe(true);
    expect(JSON.stringify(facts)).not.toContain('secret');
  });
});
