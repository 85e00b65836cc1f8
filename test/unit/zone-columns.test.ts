import { describe, expect, it } from 'vitest';
import { type DictionaryColumn, zoneColumns } from '../../activities/engines/mysql/zone-columns.js';

const column = (name: string, dataType: string, extra = '', expression = '', columnKey = ''): DictionaryColumn => ({
  name,
  dataType,
  extra,
  expression,
  columnKey,
});
const AT = column('at', 'timestamp');
const MADE = column('made', 'datetime');
const stored = (name: string, expression: string) => column(name, 'date', 'STORED GENERATED', expression);
const virtual = (name: string, expression: string, key = '') => column(name, 'date', 'VIRTUAL GENERATED', expression, key);

describe('columns that hold what a time zone made of a moment', () => {
  it.each<[string, readonly DictionaryColumn[], readonly string[]]>([
    ['the day of a TIMESTAMP', [AT, stored('d', 'cast(`at` as date)')], ['d']],
    ['a TIMESTAMP and more', [AT, MADE, stored('d', 'ifnull(`made`,`at`)')], ['d']],
    ['through another column, in front of it too', [AT, stored('e', '`v` + 1'), virtual('v', 'hour(`at`)')], ['e']],
    ['in an index', [AT, virtual('v', 'hour(`at`)', 'MUL')], ['v']],
    ['from seconds', [column('s', 'int'), stored('d', 'from_unixtime(`s`)')], ['d']],
    ['to seconds', [MADE, stored('d', 'unix_timestamp(`made`)')], ['d']],
    ['a name with a quote', [column('a`t', 'timestamp'), stored('d', 'cast(`a``t` as date)')], ['d']],
  ])('%s', (_what, columns, found) => expect(zoneColumns(columns)).toEqual(found));

  it.each<[string, readonly DictionaryColumn[]]>([
    ['computed when they are read', [AT, virtual('v', 'hour(`at`)')]],
    ['of a DATETIME', [AT, MADE, stored('d', 'cast(`made` as date)')]],
    ['the seconds of a TIMESTAMP', [AT, stored('d', 'unix_timestamp(`at`) + 1')]],
    ['a TIMESTAMP alone', [AT]],
  ])('not those %s', (_what, columns) => expect(zoneColumns(columns)).toEqual([]));
});
