import { expect, it } from 'vitest';
import { wordsOf } from '../../activities/engines/mysql/server-words.js';

it.each([
  [1062, "Duplicate entry 'alice' for key 'once'"],
  [1366, "Incorrect integer value: 'alice' for column `shop`.`item`.`n` at row 1"],
  [1292, "Truncated incorrect INTEGER value: 'alice'"],
  [1526, 'Table has no partition for value alice'],
  [1064, "You have an error in your SQL syntax near 'alice' at line 1"],
  [3819, "Check constraint 'alice' is violated."],
  [1644, 'alice'],
  [99_999, 'alice'],
])('an error %i that quotes a row or a statement is told by its number', (errno, message) => {
  const words = wordsOf(errno, message);
  expect(words).toContain(String(errno));
  expect(words).not.toContain('alice');
});

it.each([
  [1146, "Table 'shop.item' doesn't exist"],
  [1091, "Can't DROP COLUMN `n`; check that it exists"],
  [1142, "SELECT command denied to user 'srdf'@'localhost' for table `shop`.`item`"],
])('an error %i that names objects alone is told in full', (errno, message) => {
  expect(wordsOf(errno, message)).toContain(message);
});
