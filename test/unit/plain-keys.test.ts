import { describe, expect, it } from 'vitest';
import { keysToPutOff } from '../../activities/engines/mysql/ranges/plain-keys.js';

const table = (lines: readonly string[], options = 'ENGINE=InnoDB DEFAULT CHARSET=utf8mb4'): string =>
  ['CREATE TABLE `t` (', lines.map((it) => `  ${it}`).join(',\n'), `) ${options}`].join('\n');
const columns = ['`id` int(11) NOT NULL AUTO_INCREMENT', '`a` int(11) DEFAULT NULL', "`KEY ``x` text DEFAULT NULL COMMENT 'KEY `a` (`a`)'"];

describe('keys that can be made after the rows', () => {
  it('are the plain ones alone, as they are written', () => {
    const definition = table([
      ...columns,
      'PRIMARY KEY (`id`)',
      'UNIQUE KEY `u` (`a`)',
      "KEY `a` (`a`,`id`) COMMENT 'one, two'",
      'KEY `we``ird` (`KEY ``x`(10))',
      'FULLTEXT KEY `f` (`KEY ``x`)',
    ]);
    expect(keysToPutOff(definition)).toEqual([
      { name: 'a', definition: "KEY `a` (`a`,`id`) COMMENT 'one, two'" },
      { name: 'we`ird', definition: 'KEY `we``ird` (`KEY ``x`(10))' },
    ]);
  });

  it.each([
    [
      'a foreign key stands on one',
      table([...columns, 'PRIMARY KEY (`id`)', 'KEY `a` (`a`)', 'CONSTRAINT `c` FOREIGN KEY (`a`) REFERENCES `p` (`id`)']),
    ],
    ['AUTO_INCREMENT needs one', table([...columns, 'PRIMARY KEY (`a`,`id`)', 'KEY `id` (`id`)'])],
    ['AUTO_INCREMENT has none but one', table([...columns, 'KEY `id` (`id`)'])],
    ['its place among spatial ones would change', table([...columns, 'PRIMARY KEY (`id`)', 'KEY `a` (`a`)', 'SPATIAL KEY `g` (`g`)'])],
    ['the engine is another', table([...columns, 'PRIMARY KEY (`id`)', 'KEY `a` (`a`)'], 'ENGINE=Aria')],
  ])('are none where %s', (_why, definition) => {
    expect(keysToPutOff(definition)).toEqual([]);
  });
});
